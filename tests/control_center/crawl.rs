//! Follows every link of the pages, once, as far as they differ.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::center::{Answer, Center};
use crate::world::World;

/// Pages of one kind (the same address but for numbers and names) that are looked at.
const OF_ONE_KIND: usize = 4;

pub struct Visited {
    pub address: String,
    /// Where the first link to it was.
    pub from: String,
    pub answer: Answer,
}

/// All pages that are linked from these addresses, and they themselves, in the order of their finding.
pub fn crawl(
    world: &World,
    center: &Center,
    from: &[&str],
    headers: &[(&str, &str)],
) -> Vec<Visited> {
    let own = &world.topic["live_".len()..];
    let mut visited = Vec::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut known: BTreeSet<String> = from.iter().map(|&it| it.to_owned()).collect();
    let mut open: VecDeque<(String, String)> = from
        .iter()
        .map(|&it| (it.to_owned(), String::new()))
        .collect();
    while let Some((address, from)) = open.pop_front() {
        let seen = kinds.entry(kind(&address)).or_default();
        *seen += 1;
        // A tail never ends; that it is there is another test's.
        if *seen > OF_ONE_KIND || address.contains("/events") {
            continue;
        }
        let answer = center.get_with(&address, headers);
        let is_page = answer.header("content-type").starts_with("text/html");
        for link in if is_page {
            links(&answer.text)
        } else {
            Vec::new()
        } {
            let link = against(&address, &link);
            if let Some(link) =
                link.filter(|it| !known.contains(it) && !is_of_another_test(it, own))
            {
                known.insert(link.clone());
                open.push_back((link, address.clone()));
            }
        }
        visited.push(Visited {
            address,
            from,
            answer,
        });
    }
    visited
}

/// One page of each kind.
pub fn one_of_each_kind(visited: &[Visited]) -> Vec<&str> {
    let mut kinds = BTreeSet::new();
    let is_page = |it: &&Visited| {
        it.answer.status == 200 && it.answer.header("content-type").starts_with("text/html")
    };
    let pages = visited
        .iter()
        .filter(is_page)
        .filter(|it| kinds.insert(kind(&it.address)));
    pages.map(|it| it.address.as_str()).collect()
}

/// Topics and groups of other tests come and go: they have ten hexadecimal digits at the end, as this world's have.
fn is_of_another_test(link: &str, own: &str) -> bool {
    let names = link.split(['_', '-', '/', '.', '?', '=', '&', '%']);
    let mut suffixes =
        names.filter(|it| it.len() == own.len() && it.bytes().all(|it| it.is_ascii_hexdigit()));
    suffixes.any(|it| it != own)
}

/// The address without what only names which one: numbers, ids and names with a number in them, and the values of the query.
fn kind(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let plain = |part: &str| match part.contains(|it: char| it.is_ascii_digit())
        || part.contains(['.', '_', '%'])
    {
        true => "*".to_owned(),
        false => part.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(plain).collect();
    let mut names: Vec<&str> = query
        .split('&')
        .filter_map(|it| it.split('=').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    format!("{}?{}", path.join("/"), names.join("&"))
}

/// The addresses of the links of a page, and of the forms that only ask.
fn links(page: &str) -> Vec<String> {
    let value = |rest: &str| rest.split('"').next().map(unescaped);
    let hrefs = page.split(" href=\"").skip(1).filter_map(value);
    let sources = page.split(" src=\"").skip(1).filter_map(value);
    hrefs.chain(sources).collect()
}

fn unescaped(text: &str) -> String {
    [
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, sign)| {
        text.replace(name, sign)
    })
}

/// Nothing for an address of another server.
fn against(page: &str, link: &str) -> Option<String> {
    let link = link.split('#').next().unwrap_or_default();
    let path = page.split('?').next().unwrap_or_default();
    match link {
        "" => None,
        _ if link.starts_with("//")
            || link.split('/').next().is_some_and(|it| it.contains(':')) =>
        {
            None
        }
        _ if link.starts_with('/') => Some(link.to_owned()),
        _ if link.starts_with('?') => Some(format!("{path}{link}")),
        _ => Some(format!(
            "{}/{link}",
            path.rsplit_once('/').map_or("", |(folder, _)| folder)
        )),
    }
}
