//! What holds for every page that is linked from the first one.

use crate::browser::{Browser, axe};
use crate::crawl::{crawl, one_of_each_kind};
use crate::filled::Filled;
use crate::logins::{PASSWORD, accounts, log_in};

#[test]
fn every_page_is_without_errors_accessible_and_fits_a_phone_light_and_dark() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let Some(it) = Filled::new(&[]) else { return };
    let visited = crawl(&it.world, &it.center, &["/", "/login", "/settings"], &[]);
    let pages = one_of_each_kind(&visited);
    println!("pages: {pages:#?}");
    check(&browser, &it.center.url, &pages);
}

#[test]
fn what_an_admin_sees_is_without_errors_accessible_and_fits_a_phone_light_and_dark() {
    let Some(browser) = Browser::take() else {
        return;
    };
    let accounts = accounts();
    let variables = [("STREAMFLOW_CONTROL_CENTER_ACCOUNTS", accounts.as_str())];
    let Some(it) = Filled::with(&[], &variables) else {
        return;
    };
    let cookie = log_in(&it.center, "ada");
    let headers = [("cookie", cookie.as_str())];
    // Something for the audit log.
    let messages = format!(
        "/clusters/controlcenter.cluster/topics/{}/messages",
        it.world.topic
    );
    let revealing = format!("{messages}?reveal=true");
    let from = ["/", "/login", "/settings", "/audit", &revealing];
    let visited = crawl(&it.world, &it.center, &from, &headers);
    let pages = one_of_each_kind(&visited);
    println!("pages: {pages:#?}");
    for page in ["/settings", "/audit", &revealing] {
        assert!(pages.contains(&page), "no way to {page}");
    }
    browser.open(&format!("{}/login", it.center.url));
    browser.fill("name", "ada");
    browser.fill("password", PASSWORD);
    browser.press("Log in");
    browser.until_it_shows("ada · admin");
    check(&browser, &it.center.url, &pages);
    browser.open(&format!("{}/audit", it.center.url));
    browser.until_it_shows("reveal");
}

/// Errors, rules of accessibility, headings and width of each page.
fn check(browser: &Browser, url: &str, pages: &[&str]) {
    let axe = axe();
    let mut wrong = Vec::new();
    for address in pages {
        let mut told = |what: &str, list: Vec<String>| {
            wrong.extend(
                list.into_iter()
                    .map(|it| format!("{address}: {what}: {it}")),
            );
        };
        for (dark, width, what) in [
            (false, 1280, "light and wide"),
            (false, 360, "light and narrow"),
            (true, 360, "dark and narrow"),
        ] {
            browser.dark(dark);
            browser.size(width, 800);
            browser.open(&format!("{url}{address}"));
            told("console", browser.errors());
            if let Some(axe) = &axe {
                told(what, browser.violations(axe));
            }
            if width == 360 {
                told(what, too_wide(browser));
            }
        }
        let headings = browser.script("return document.querySelectorAll('h1').length", vec![]);
        if headings != 1 {
            told("headings", vec![headings.to_string()]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How wide the page is, and what makes it so, where that is more than the window.
fn too_wide(browser: &Browser) -> Vec<String> {
    let script = "const most = document.documentElement.clientWidth; return document.scrollingElement.scrollWidth <= most ? [] : \
                  [String(document.scrollingElement.scrollWidth), ...[...document.querySelectorAll('body *')].filter(it => it.getBoundingClientRect().right > most + 1 \
                  && !it.closest('.wide')).slice(0, 5).map(it => it.outerHTML.slice(0, 120))];";
    let found = browser.script(script, vec![]);
    let found = found.as_array().into_iter().flatten();
    found.map(|it| format!("wider than 360 px: {it}")).collect()
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
