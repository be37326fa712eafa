//! The flavour of T Cloud Public: the same documents without nulls, and with an offset in times.
//!
//! [`offset`] turns any reply into that form. It is a serialiser of its own, so that there is no
//! second set of types (docs/adr/0004-operation-table.md): a field of a struct that is null is left
//! out, and a time, which is serialised as the newtype `CbrTime`, has milliseconds and `+00:00`.
//! What callers gave as free JSON comes back as it was, nulls included: that is a map, no struct.
//!
//! Invariant: fields keep their order; nothing but nulls and times differs.

use serde::{
    Serialize, Serializer,
    ser::{
        Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple,
        SerializeTupleStruct,
    },
};
use serde_json::{Error, Value};

words! {
    /// Whose spelling replies have.
    Flavor, "flavour" {
        /// Huawei Cloud's: nulls are shown, times have microseconds and no offset.
        Huawei = "huawei",
        /// T Cloud Public's: nulls are left out, times have milliseconds and an offset.
        Otc = "otc",
    }
}

/// The name under which a time is serialised.
const TIME: &str = "CbrTime";

/// A reply in the flavour of T Cloud Public.
pub fn offset<T: Serialize>(reply: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(&reply.serialize(Otc)?)
}

/// A document whose fields keep their order.
#[derive(Debug)]
enum Tree {
    Plain(Value),
    List(Vec<Tree>),
    Fields(Vec<(String, Tree)>),
}

impl Tree {
    const fn is_null(&self) -> bool {
        matches!(self, Self::Plain(Value::Null))
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(to),
            Self::List(items) => to.collect_seq(items),
            Self::Fields(fields) => to.collect_map(fields.iter().map(|(key, value)| (key, value))),
        }
    }
}

/// Makes a [`Tree`].
struct Otc;

/// A list that is being made.
struct List(Vec<Tree>);

/// An object that is being made.
struct Fields {
    done: Vec<(String, Tree)>,
    key: Option<String>,
}

macro_rules! plain {
    ($($name:ident: $of:ty),*) => {$(
        fn $name(self, value: $of) -> Result<Tree, Error> {
            Ok(Tree::Plain(Value::from(value)))
        }
    )*};
}

impl Serializer for Otc {
    type Ok = Tree;
    type Error = Error;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<Tree, Error>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Impossible<Tree, Error>;

    plain! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_str: &str
    }

    fn serialize_char(self, value: char) -> Result<Tree, Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Tree, Error> {
        Err(Error::custom("a reply has no bytes"))
    }

    fn serialize_none(self) -> Result<Tree, Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Tree, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Tree, Error> {
        Ok(Tree::Plain(Value::Null))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Tree, Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Tree, Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        let inner = value.serialize(Self)?;
        Ok(match inner {
            Tree::Plain(Value::String(text)) if name == TIME => Tree::Plain(with_offset(&text)),
            other => other,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Error> {
        Ok(Tree::Fields(vec![(
            variant.to_owned(),
            value.serialize(Self)?,
        )]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Error> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Error> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Error> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::custom("a reply has no such variants"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, Error> {
        Ok(Fields {
            done: Vec::new(),
            key: None,
        })
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields, Error> {
        Ok(Fields {
            done: Vec::with_capacity(fields),
            key: None,
        })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::custom("a reply has no such variants"))
    }
}

impl SerializeSeq for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.push(value.serialize(Otc)?);
        Ok(())
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::List(self.0))
    }
}

impl SerializeTuple for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Tree, Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeTupleStruct for List {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<Tree, Error> {
        SerializeSeq::end(self)
    }
}

impl SerializeMap for Fields {
    type Ok = Tree;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        match key.serialize(Otc)? {
            Tree::Plain(Value::String(text)) => self.key = Some(text),
            Tree::Plain(Value::Number(number)) => self.key = Some(number.to_string()),
            _ => return Err(Error::custom("a key of a reply is text")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take();
        let key = key.ok_or_else(|| Error::custom("a value comes after its key"))?;
        self.done.push((key, value.serialize(Otc)?));
        Ok(())
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::Fields(self.done))
    }
}

impl SerializeStruct for Fields {
    type Ok = Tree;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let value = value.serialize(Otc)?;
        if !value.is_null() {
            self.done.push((key.to_owned(), value));
        }
        Ok(())
    }

    fn end(self) -> Result<Tree, Error> {
        Ok(Tree::Fields(self.done))
    }
}

/// `2020-02-05T10:38:34.209782` as `2020-02-05T10:38:34.209+00:00`.
fn with_offset(text: &str) -> Value {
    let millis = text.get(..23).unwrap_or(text);
    Value::from(format!("{millis}+00:00"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::time::CbrTime;

    #[derive(Serialize)]
    struct Reply {
        zulu: u8,
        alpha: Option<u8>,
        at: Option<CbrTime>,
        free: Value,
        inner: Vec<Inner>,
    }

    #[derive(Serialize)]
    struct Inner {
        none: Option<CbrTime>,
        text: &'static str,
    }

    #[test]
    fn nulls_go_times_get_an_offset_and_the_rest_is_as_it_was() {
        let reply = Reply {
            zulu: 1,
            alpha: None,
            at: Some(CbrTime::from_micros(1_580_899_114_209_782)),
            free: json!({"note": null, "at": "2020-02-05T10:38:34.209782"}),
            inner: vec![Inner {
                none: None,
                text: "2020-02-05T10:38:34.209782",
            }],
        };
        let text = String::from_utf8(offset(&reply).unwrap()).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"zulu":1,"at":"2020-02-05T10:38:34.209+00:00","#,
                r#""free":{"at":"2020-02-05T10:38:34.209782","note":null},"#,
                r#""inner":[{"text":"2020-02-05T10:38:34.209782"}]}"#
            )
        );
    }
}
