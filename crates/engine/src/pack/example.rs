//! The worked example of docs/format.md.

use std::fmt::Write as _;

use strongroom_model::Entropy;

use super::PackBuilder;
use crate::{
    header::{Header, Sizes},
    id::{RepositoryId, Stream},
    keys::KeyTree,
    segment::{Codec, Draft},
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/format.md");

/// Randomness that is the same byte for ever.
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// Lines of 32 bytes in hex.
fn lines(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        writeln!(text, "    {}", hex::encode(line)).unwrap();
    }
    text
}

#[test]
fn the_worked_example_in_the_format_document_is_true() {
    let repository = RepositoryId::from_bytes([0x11; 16]);
    let keys = KeyTree::new(&[0x22; 32], repository);
    let header = Header {
        repository,
        sizes: Sizes::default(),
        parity_percent: 0,
    };
    let chunk = b"hello, strongroom";
    let mut draft = Draft::new(Stream::Data);
    draft.push(keys.chunk_id(Stream::Data, chunk), chunk);
    let mut pack = PackBuilder::new(&keys, Stream::Data, Vec::new(), &Same(0x33));
    pack.append(&draft, Codec::Plain, &draft.bytes);
    let pack = pack.finish();
    let padding = usize::try_from(pack.segments[0].extent.end()).unwrap();
    let example = format!(
        "The object `format`:\n\n{}\n\
         The data chunk `hello, strongroom` has the id\n\n{}\n\
         and the tree chunk with the same bytes\n\n{}\n\
         A pack that holds only that data chunk is named\n\n    packs/{}/{}\n\n\
         and has {} bytes: the header and the segment are\n\n{}\n\
         then comes the padding, and the directory and the footer are\n\n{}",
        lines(&header.encode(&keys)),
        lines(keys.chunk_id(Stream::Data, chunk).as_bytes()),
        lines(keys.chunk_id(Stream::Tree, chunk).as_bytes()),
        &pack.info.id.to_string()[..2],
        pack.info.id,
        pack.bytes.len(),
        lines(&pack.bytes[..padding]),
        lines(&pack.bytes[pack.bytes.len() - (4 + 17 + 36 + 16 + 12)..]),
    );
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    if std::env::var_os("STRONGROOM_BLESS").is_some() {
        let start = document.rfind("The object `format`:").unwrap();
        std::fs::write(DOCUMENT, [&document[..start], &example].concat()).unwrap();
        return;
    }
    assert!(
        document.ends_with(&example),
        "docs/format.md must end with:\n\n{example}"
    );
}
