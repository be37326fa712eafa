//! Rules about documents: links lead somewhere, decision records have a number each.

use std::collections::{BTreeMap, HashSet};

use super::{File, Offence};

/// Where decision records live.
const RECORDS: &str = "docs/adr/";

/// Every rule about documents.
pub(super) fn check(files: &[File]) -> Vec<Offence> {
    let mut found = links(files);
    found.extend(records(files));
    found
}

/// Links inside the repository whose file or heading is not there.
fn links(files: &[File]) -> Vec<Offence> {
    let known: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let headings: BTreeMap<&str, HashSet<String>> = documents(files)
        .map(|(file, text)| (file.path.as_str(), anchors(text)))
        .collect();
    let mut found = Vec::new();
    for (file, text) in documents(files) {
        for (number, target) in targets(text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let resolved = resolve(&file.path, path);
            let folder = format!("{}/", resolved.trim_end_matches('/'));
            let there = known.contains(resolved.as_str())
                || known.iter().any(|path| path.starts_with(&folder));
            if !there {
                found.push(file.offence(number, format!("the link to {target} leads nowhere")));
                continue;
            }
            let named = headings.get(resolved.as_str());
            if !anchor.is_empty() && named.is_some_and(|anchors| !anchors.contains(anchor)) {
                found.push(file.offence(number, format!("{path} has no heading #{anchor}")));
            }
        }
    }
    found
}

fn documents(files: &[File]) -> impl Iterator<Item = (&File, &str)> {
    files
        .iter()
        .filter(|file| file.extension() == "md" && !file.path.starts_with("fixtures/"))
        .filter_map(|file| Some((file, file.text.as_deref()?)))
}

/// The lines of a document that are not inside a code block, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The targets of inline links that stay inside the repository, each with its line.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for part in line.split("](").skip(1) {
            let target = part.split([')', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((number, target));
            }
        }
    }
    found
}

/// The path that a link means, seen from the file it stands in.
fn resolve(from: &str, link: &str) -> String {
    if link.is_empty() {
        return from.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors that a reader's program makes of a document's headings.
fn anchors(text: &str) -> HashSet<String> {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// Decision records are called `NNNN-title.md`, and no two have one number. Numbers are taken when
/// work begins, so those of work that has not landed are missing for a while.
fn records(files: &[File]) -> Vec<Offence> {
    let mut found = Vec::new();
    let mut numbers: Vec<(u32, &File)> = Vec::new();
    for file in files {
        let Some(name) = file.path.strip_prefix(RECORDS) else {
            continue;
        };
        let number = name
            .strip_suffix(".md")
            .and_then(|name| name.split_once('-'))
            .filter(|(digits, _)| digits.len() == 4)
            .and_then(|(digits, _)| digits.parse().ok());
        match number {
            Some(number) => numbers.push((number, file)),
            None => found.push(file.offence(0, "is not named NNNN-title.md")),
        }
    }
    numbers.sort_by_key(|(number, _)| *number);
    for pair in numbers.windows(2) {
        let [(first, _), (second, file)] = pair else {
            continue;
        };
        if first == second {
            found.push(file.offence(0, format!("is numbered {second:04} like another")));
        }
    }
    found
}
