//! What Spider writes into comments: which link a table or partition is behind.
//!
//! `COMMENT='wrapper "mysql", table "orders"'` at the table is what holds for all its partitions;
//! `COMMENT = 'srv "dn0"'` at a partition is its own. Newer servers have options of that meaning
//! (`REMOTE_SERVER`), which are read as well. Only the statement that the server itself shows is
//! read, so its spelling is the server's.

use std::collections::BTreeMap;

use crate::ddm::layer::{Rule, Shard, Table};

/// Fills in rule and shards of a table from the statement that makes it.
pub(super) fn place(table: &mut Table) {
    let mut common = BTreeMap::new();
    let (mut rule, mut shards) = (None, Vec::new());
    for line in table.create.lines() {
        if line.starts_with(") ENGINE=") {
            if !line.starts_with(") ENGINE=SPIDER") {
                return;
            }
            common = words(line);
        } else if let Some(by) = line.strip_prefix(" PARTITION BY ") {
            rule = Some(rule_of(by));
        } else if let Some(partition) = partition(line) {
            shards.push(partition);
        }
    }
    if !table.create.contains(") ENGINE=SPIDER") {
        return;
    }
    let shard = |name: String, own: &BTreeMap<String, String>, range: Option<String>| {
        let word = |keys: [&str; 2]| {
            let found = keys
                .iter()
                .find_map(|key| own.get(*key).or_else(|| common.get(*key)));
            found.cloned().unwrap_or_default()
        };
        let there = word(["table", "remote_table"]);
        Shard {
            name,
            server: word(["srv", "remote_server"]),
            database: word(["database", "remote_database"]),
            table: if there.is_empty() {
                table.name.clone()
            } else {
                there
            },
            range,
        }
    };
    table.shards = if shards.is_empty() {
        vec![shard(String::new(), &BTreeMap::new(), None)]
    } else {
        shards
            .into_iter()
            .map(|(name, own, range)| shard(name, &own, range))
            .collect()
    };
    table.rule = rule;
}

/// `KEY (`id`)`, `RANGE COLUMNS(`a`)`, `LIST (`b`)`.
fn rule_of(by: &str) -> Rule {
    let (algorithm, key) = by.split_once('(').unwrap_or((by, ""));
    Rule {
        algorithm: algorithm.trim().to_owned(),
        key: key.trim_end().trim_end_matches(')').to_owned(),
    }
}

type Partition = (String, BTreeMap<String, String>, Option<String>);

/// `(PARTITION `p0` VALUES LESS THAN (10) COMMENT = 'srv "dn0"' ENGINE = SPIDER,`
fn partition(line: &str) -> Option<Partition> {
    let rest = line
        .strip_prefix("(PARTITION ")
        .or_else(|| line.strip_prefix(" PARTITION "))?;
    let (name, rest) = match rest.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`')?,
        None => rest.split_once(' ')?,
    };
    let range = rest.split_once("VALUES ").map(|(_, range)| {
        let end = [" COMMENT = ", " ENGINE = ", " REMOTE_"]
            .iter()
            .filter_map(|word| range.find(word))
            .min();
        range
            .get(..end.unwrap_or(range.len()))
            .unwrap_or(range)
            .to_owned()
    });
    Some((name.to_owned(), words(rest), range))
}

/// The words of a comment and the options of that meaning.
fn words(line: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let comment = ["COMMENT='", "COMMENT = '"]
        .iter()
        .find_map(|word| line.split_once(word))
        .map(|(_, rest)| until_quote(rest));
    // `srv "dn0", table "orders"`: a word, and a value in either kind of quotes.
    let text = comment.unwrap_or_default();
    let mut rest = text.as_str();
    while let Some(open) = rest.find(['"', '\'']) {
        let (key, value) = rest.split_at(open);
        let quote = value.chars().next().unwrap_or('"');
        let value = value.get(1..).unwrap_or_default();
        let Some(close) = value.find(quote) else {
            break;
        };
        let key = key
            .trim_matches([' ', ',', '\t', '\n'])
            .to_ascii_lowercase();
        let (value, behind) = value.split_at(close);
        found.insert(key, value.to_owned());
        rest = behind.get(1..).unwrap_or_default();
    }
    for option in ["REMOTE_SERVER", "REMOTE_DATABASE", "REMOTE_TABLE"] {
        let value = [
            format!("`{option}`='"),
            format!("{option}='"),
            format!("{option} = '"),
        ]
        .iter()
        .find_map(|word| line.split_once(word.as_str()))
        .map(|(_, rest)| until_quote(rest));
        if let Some(value) = value {
            found.insert(option.to_ascii_lowercase(), value);
        }
    }
    found
}

/// The text up to its closing quote, of which two stand for one.
fn until_quote(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if letters.peek() == Some(&'\'') => {
                out.push('\'');
                letters.next();
            }
            '\'' => break,
            '\\' => out.extend(letters.next()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(create: &str) -> Table {
        let mut table = Table {
            name: "orders".to_owned(),
            create: create.to_owned(),
            ..Table::default()
        };
        place(&mut table);
        table
    }

    #[test]
    fn partitions_are_on_their_links_and_the_rest_comes_from_the_table() {
        let table = placed(
            "CREATE TABLE `orders` (\n  `id` bigint(20) NOT NULL\n) ENGINE=SPIDER \
             DEFAULT CHARSET=latin1 COMMENT='wrapper \"mysql\", table \"orders_x\"'\n \
             PARTITION BY KEY (`id`)\n\
             (PARTITION `p0` COMMENT = 'srv \"dn0\"' ENGINE = SPIDER,\n \
             PARTITION `p1` COMMENT = 'srv \"dn1\", database \"d''1\"' ENGINE = SPIDER)",
        );
        let rule = table.rule.unwrap();
        assert_eq!(
            (rule.algorithm.as_str(), rule.key.as_str()),
            ("KEY", "`id`")
        );
        let shards: Vec<_> = table
            .shards
            .iter()
            .map(|s| (s.name.as_str(), s.server.as_str(), s.table.as_str()))
            .collect();
        assert_eq!(
            shards,
            [("p0", "dn0", "orders_x"), ("p1", "dn1", "orders_x")]
        );
        assert_eq!(table.shards[1].database, "d'1");
    }

    #[test]
    fn ranges_are_kept_and_a_table_without_partitions_has_one_part() {
        let table = placed(
            "CREATE TABLE `orders` (\n  `id` int\n) ENGINE=SPIDER\n PARTITION BY RANGE (`id`)\n\
             (PARTITION `a` VALUES LESS THAN (10) COMMENT = 'srv \"dn0\"' ENGINE = SPIDER,\n \
             PARTITION `b` VALUES LESS THAN MAXVALUE COMMENT = 'srv \"dn1\"' ENGINE = SPIDER)",
        );
        assert_eq!(table.shards[0].range.as_deref(), Some("LESS THAN (10)"));
        assert_eq!(table.shards[1].range.as_deref(), Some("LESS THAN MAXVALUE"));
        let whole =
            placed("CREATE TABLE `orders` (\n  `id` int\n) ENGINE=SPIDER `REMOTE_SERVER`='dn7'");
        assert_eq!(
            (whole.shards.len(), whole.shards[0].server.as_str()),
            (1, "dn7")
        );
        assert_eq!(whole.shards[0].table, "orders");
    }

    #[test]
    fn a_table_of_another_engine_is_the_layers_own() {
        let table = placed(
            "CREATE TABLE `orders` (\n  `c` char(40) DEFAULT ') ENGINE=SPIDER'\n) ENGINE=InnoDB",
        );
        assert_eq!((table.rule, table.shards.len()), (None, 0));
    }
}
