//! What holds for every page that is linked from the first one.

use crate::browser::{Browser, axe};
use crate::crawl::{crawl, one_of_each_kind};
use crate::filled::Filled;

#[test]
fn every_page_is_without_errors_accessible_and_fits_a_phone_light_and_dark() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let visited = crawl(&it.world, &it.center, &["/", "/login", "/settings"], &[]);
    let axe = axe();
    let mut wrong = Vec::new();
    let pages = one_of_each_kind(&visited);
    println!("pages: {pages:#?}");
    for address in pages {
        let mut told = |what: &str, list: Vec<String>| {
            wrong.extend(
                list.into_iter()
                    .map(|it| format!("{address}: {what}: {it}")),
            );
        };
        // The colours and the width at once: neither makes up for the other.
        for (dark, width) in [(false, 1280), (true, 360)] {
            browser.dark(dark);
            browser.size(width, 800);
            browser.open(&format!("{}{address}", it.center.url));
            told("console", browser.errors());
            if let Some(axe) = &axe {
                let what = if dark {
                    "dark and narrow"
                } else {
                    "light and wide"
                };
                told(what, browser.violations(axe));
            }
        }
        let headings = browser.script("return document.querySelectorAll('h1').length", vec![]);
        if headings != 1 {
            told("headings", vec![headings.to_string()]);
        }
        let too_wide = "const most = document.documentElement.clientWidth; return document.scrollingElement.scrollWidth <= most ? [] : \
                        [String(document.scrollingElement.scrollWidth), ...[...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > most + 1 \
                        && !it.closest('.wide')).slice(0, 5).map(it => it.outerHTML.slice(0, 120))];";
        let too_wide = browser.script(too_wide, vec![]);
        let too_wide = too_wide.as_array().into_iter().flatten();
        told(
            "wider than 360 px",
            too_wide.map(ToString::to_string).collect(),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_there_without_scripts() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let visited = crawl(&it.world, &it.center, &["/", "/login", "/settings"], &[]);
    browser.scripts(false);
    for address in one_of_each_kind(&visited) {
        browser.open(&format!("{}{address}", it.center.url));
        let heading = browser.heading();
        let body = browser.body();
        assert!(
            !heading.is_empty() && body.len() > heading.len() + 20,
            "{address}: {body}"
        );
    }
}
