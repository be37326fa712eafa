//! Tests of `codec`.

use proptest::{collection, prelude::*};

use super::*;

#[test]
fn a_record_with_bytes_left_over_is_refused() {
    let mut decoder = Decoder::new(&[1, 0, 9]);
    assert_eq!(decoder.u16(), Ok(1));
    assert!(decoder.finish().is_err());
}

#[test]
fn a_count_beyond_the_record_is_refused_before_anything_is_reserved() {
    let mut decoder = Decoder::new(&[0xff, 0xff, 0xff, 0xff, 0]);
    assert!(decoder.clone().count(1).is_err());
    assert!(decoder.clone().count(usize::MAX).is_err());
    assert!(decoder.blob().is_err());
}

#[test]
fn a_flag_is_zero_or_one() {
    assert!(Decoder::new(&[2]).flag().is_err());
    assert!(Decoder::new(&[2, 7]).optional::<1>().is_err());
    assert_eq!(Decoder::new(&[1, 7]).optional(), Ok(Some([7])));
}

#[test]
fn a_map_has_one_encoding() {
    let mut encoder = Encoder::default();
    encoder.count(2).text("b").text("1").text("a").text("2");
    assert!(Decoder::new(&encoder.finish()).map().is_err());
    let mut encoder = Encoder::default();
    encoder.count(2).text("a").text("1").text("a").text("2");
    assert!(Decoder::new(&encoder.finish()).map().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fields_come_back_and_every_prefix_is_refused(
        a: u8, b: u16, c: u32, d: u64, e: i64, text: String,
        blob in collection::vec(any::<u8>(), 0..50),
        map in collection::btree_map(any::<String>(), any::<String>(), 0..4),
        optional: Option<[u8; 16]>,
    ) {
        let mut encoder = Encoder::default();
        encoder.u8(a).u16(b).u32(c).u64(d).i64(e).text(&text).blob(&blob).map(&map);
        encoder.optional(optional.as_ref().map(<[u8; 16]>::as_slice));
        let record = encoder.finish();
        let read = |bytes: &[u8]| -> Result<_, Malformed> {
            let mut decoder = Decoder::new(bytes);
            let fields = (
                decoder.u8()?, decoder.u16()?, decoder.u32()?, decoder.u64()?, decoder.i64()?,
                decoder.text()?.to_owned(), decoder.blob()?.to_vec(), decoder.map()?,
                decoder.optional::<16>()?,
            );
            decoder.finish()?;
            Ok(fields)
        };
        prop_assert_eq!(read(&record), Ok((a, b, c, d, e, text, blob, map, optional)));
        for len in 0..record.len() {
            prop_assert!(read(&record[..len]).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = Decoder::new(&bytes);
        while decoder.remaining() > 0 {
            let before = decoder.remaining();
            let _ = decoder.clone().text();
            let _ = decoder.clone().optional::<16>();
            let _ = decoder.map();
            if decoder.remaining() == before && decoder.u8().is_err() {
                break;
            }
        }
    }
}
