//! Signatures against the published vectors, the quirks of real signers, and tampering.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{canonical::format_date, *};

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY01";
const NOW: &str = "20260105T031415Z";

/// A request that owns its parts.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Sent {
    fn get(target: &str, headers: &[(&str, &str)]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let dated = headers.iter().chain(&[("x-sdk-date", NOW)]);
        Self {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: dated
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers = |name: &str| self.headers.get(name).map(|v| Cow::Borrowed(v.as_str()));
        act(&Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            body: BodyHash::of(&self.body),
        })
    }

    fn sign(&self, signed: &[&str]) -> String {
        self.with(|request| sign(request, signed, "AK", SECRET))
            .unwrap()
    }

    fn verify(&self, header: &str) -> Result<Payload, SignError> {
        let authorization = Authorization::parse(header)?;
        self.with(|request| verify(&authorization, request, SECRET, now()))
    }
}

fn now() -> i64 {
    canonical::parse_date(NOW).unwrap()
}

/// The header of the scoped form, made with the same primitives from another spelling.
fn scoped(sent: &Sent, signed: &str, query: &str, body: &str) -> String {
    let scope = "20260105///sdk_request";
    let form = Form::Scoped {
        scope,
        day: "20260105",
        region: "",
        service: "",
    };
    let mut authorization = Authorization {
        form,
        access_key: "AK",
        signed_headers: signed,
        signature: [0; 32],
    };
    let hash = BodyHash::of(body.as_bytes()).hex();
    let canonical = sent
        .with(|request| canonical::request(&authorization, request, query, &hash))
        .unwrap();
    let text = canonical::string_to_sign(&form, NOW, &canonical);
    let tag = hmac::sign(&key::signing_key(&form, "AK", SECRET), text.as_bytes());
    authorization.signature.copy_from_slice(tag.as_ref());
    authorization.to_string()
}

fn vectors() -> Vec<(Sent, Value)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/wire/sign_vectors.json"
    );
    let vectors: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let sent = |vector: &Value| {
        let uri = vector["request_uri"].as_str().unwrap();
        let mut sent = Sent::get(uri, &[]);
        vector["method"]
            .as_str()
            .unwrap()
            .clone_into(&mut sent.method);
        sent.body = vector["body"].as_str().unwrap_or_default().into();
        for (name, value) in vector["headers"].as_object().unwrap() {
            sent.headers
                .insert(name.to_lowercase(), value.as_str().unwrap().to_owned());
        }
        sent
    };
    vectors
        .into_iter()
        .map(|vector| (sent(&vector), vector))
        .collect()
}

#[test]
fn every_vector_of_the_three_forms_is_reproduced() {
    let mut checked = 0;
    for (sent, vector) in vectors() {
        let header = vector["authorization"].as_str().unwrap();
        if vector["alg"] == "SDK-HMAC-SM3" {
            let error = sent.verify(header).unwrap_err();
            assert_eq!(error, SignError::NoSuchAlgorithm("SDK-HMAC-SM3".to_owned()));
            continue;
        }
        let authorization = Authorization::parse(header).unwrap();
        assert_eq!(authorization.to_string(), header);
        assert_eq!(vector["sk"], SECRET);
        let spellings = sent.with(|request| canonical::candidates(&authorization, request));
        let spellings = spellings.unwrap();
        assert_eq!(
            spellings[0].0,
            vector["canonical_request"].as_str().unwrap(),
            "{vector}"
        );
        let text = canonical::string_to_sign(&authorization.form, NOW, &spellings[0].0);
        assert_eq!(text, vector["string_to_sign"].as_str().unwrap());
        let unsigned = sent
            .headers
            .get("x-sdk-content-sha256")
            .is_some_and(|_| !sent.body.is_empty());
        let payload = if unsigned {
            Payload::Unsigned
        } else {
            Payload::Signed
        };
        assert_eq!(sent.verify(header), Ok(payload), "{vector}");
        checked += 1;
    }
    assert_eq!(checked, 8);
}

#[test]
fn the_plain_form_that_we_make_is_the_vendors() {
    for (sent, vector) in vectors() {
        let header = vector["authorization"].as_str().unwrap();
        let Ok(authorization) = Authorization::parse(header) else {
            continue;
        };
        if authorization.form == Form::Plain {
            let mut signed: Vec<_> = authorization.signed_names().collect();
            signed.reverse();
            let ours =
                sent.with(|request| sign(request, &signed, authorization.access_key, SECRET));
            assert_eq!(ours.unwrap(), header);
        }
    }
}

#[test]
fn every_change_of_a_signed_request_is_noticed() {
    let sent = Sent {
        method: "POST".to_owned(),
        body: b"{}".to_vec(),
        ..Sent::get(
            "/v3/p/vaults?limit=10",
            &[("host", "h:1"), ("content-type", "a")],
        )
    };
    let header = sent.sign(&["content-type", "host", "x-sdk-date"]);
    assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    for what in ["method", "path", "query", "query added", "header", "body"] {
        let mut changed = sent.clone();
        match what {
            "method" => changed.method = "PUT".into(),
            "path" => changed.path.push('x'),
            "query" => changed.query = "limit=11".into(),
            "query added" => changed.query.push_str("&a="),
            "header" => *changed.headers.get_mut("host").unwrap() = "h:2".into(),
            _ => changed.body.push(b' '),
        }
        assert_eq!(changed.verify(&header), Err(SignError::Mismatch), "{what}");
    }
    let authorization = Authorization::parse(&header).unwrap();
    let other = sent.with(|request| verify(&authorization, request, "another secret", now()));
    assert_eq!(other, Err(SignError::Mismatch));
}

#[test]
fn headers_that_are_not_signed_may_change_and_order_and_spelling_do_not_matter() {
    let sent = Sent::get("/v3/p/a%20b?status=b&status=a&x=%2a", &[("host", "h")]);
    let header = sent.sign(&["host", "x-sdk-date"]);
    let mut same = Sent::get("/v3/p/%61%20b/?x=*&status=a&status=b", &[("host", " h ")]);
    same.headers
        .insert("x-project-id".into(), "added later".into());
    assert_eq!(same.verify(&header), Ok(Payload::Signed));
}

#[test]
fn the_date_is_strict_signed_and_within_a_quarter_of_an_hour() {
    let sent = Sent::get("/", &[("host", "h")]);
    let header = sent.sign(&["host", "x-sdk-date"]);
    let authorization = Authorization::parse(&header).unwrap();
    let at = |seconds| sent.with(|request| verify(&authorization, request, SECRET, seconds));
    for off in [0, 900, -900] {
        assert_eq!(at(now() + off), Ok(Payload::Signed), "{off}");
    }
    for off in [901, -901, 86_400] {
        assert_eq!(at(now() + off), Err(SignError::Skewed(off)), "{off}");
    }
    for bad in [
        "2026-01-05T03:14:15Z",
        "20260105T031415",
        "20260230T031415Z",
        "20260105T031415z",
        "",
    ] {
        let mut sent = sent.clone();
        sent.headers.insert("x-sdk-date".into(), bad.into());
        assert_eq!(sent.verify(&header), Err(MALFORMED_DATE), "{bad:?}");
    }
    let undated = header.replace("host;x-sdk-date", "host");
    assert_eq!(sent.verify(&undated), Err(SignError::UnsignedDate));
    let mut missing = sent.clone();
    missing.headers.remove("x-sdk-date");
    assert_eq!(missing.verify(&header), Err(SignError::UnsignedDate));
    assert_eq!(format_date(now()), NOW);
}

#[test]
fn a_header_that_is_named_but_not_sent_is_missed() {
    let sent = Sent::get("/", &[("host", "h"), ("accept", "*/*")]);
    let header = sent.sign(&["accept", "host", "x-sdk-date"]);
    let mut stripped = sent;
    stripped.headers.remove("accept");
    let missing = SignError::MissingSignedHeader("accept".to_owned());
    assert_eq!(stripped.verify(&header), Err(missing));
}

#[test]
fn a_declared_body_hash_must_be_the_bodys() {
    let mut sent = Sent::get("/", &[("host", "h")]);
    sent.body = b"hello".to_vec();
    sent.headers
        .insert("x-sdk-content-sha256".into(), BodyHash::of(b"hello").hex());
    let header = sent.sign(&["host", "x-sdk-date"]);
    assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    sent.body = b"hullo".to_vec();
    assert_eq!(sent.verify(&header), Err(SignError::BodyMismatch));
}

#[test]
fn an_unsigned_payload_is_told_apart_unless_there_is_none() {
    let mut sent = Sent::get("/", &[("host", "h")]);
    let plain = sent.sign(&["host", "x-sdk-date"]);
    sent.headers
        .insert("x-sdk-content-sha256".into(), "UNSIGNED-PAYLOAD".into());
    let declared = sent.sign(&["host", "x-sdk-date"]);
    assert_eq!(sent.verify(&declared), Ok(Payload::Signed));
    assert_eq!(
        sent.verify(&plain),
        Ok(Payload::Signed),
        "hashed the empty body after all"
    );
    sent.body = b"x".to_vec();
    assert_eq!(sent.verify(&declared), Ok(Payload::Unsigned));
    assert_eq!(sent.verify(&plain), Err(SignError::Mismatch));
}

#[test]
fn the_scoped_form_signs_the_query_of_a_bodyless_post_as_its_body() {
    let mut sent = Sent::get("/v3/p/vaults?b=2&a=x%20y&a=1", &[("host", "h")]);
    sent.method = "POST".into();
    let header = scoped(&sent, "host;x-sdk-date", "", "a=x+y&a=1&b=2");
    assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    // An empty body that is not absent is hashed as such; the wire cannot tell them apart.
    let header = scoped(&sent, "host;x-sdk-date", "b=2&a=x%20y&a=1", "");
    assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    sent.query = "b=3&a=x%20y&a=1".into();
    assert_eq!(sent.verify(&header), Err(SignError::Mismatch));
}

#[test]
fn the_scoped_form_sorts_without_case_takes_first_values_and_collapses_blanks() {
    let sent = Sent::get("/?b=1&A=2&b=0", &[("host", "h"), ("user-agent", "a \t b")]);
    let header = scoped(&sent, "host;user-agent;x-sdk-date", "A=2&b=1", "");
    assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    let authorization = Authorization::parse(&header).unwrap();
    let text = &sent
        .with(|request| canonical::candidates(&authorization, request))
        .unwrap()[0]
        .0;
    assert!(
        text.contains("\nA=2&b=1\n") && text.contains("\nuser-agent:a b\n"),
        "{text}"
    );
}

#[test]
fn a_scope_of_another_day_is_refused() {
    let sent = Sent::get("/", &[("host", "h")]);
    let header = scoped(&sent, "host;x-sdk-date", "", "").replace("/20260105/", "/20260104/");
    assert!(matches!(sent.verify(&header), Err(SignError::Malformed(_))));
}

#[test]
fn malformed_headers_are_named() {
    let good = Sent::get("/", &[("host", "h")]).sign(&["host", "x-sdk-date"]);
    assert!(
        Authorization::parse(&good.replace(", ", ",")).is_ok(),
        "blanks are optional"
    );
    for bad in [
        "SDK-HMAC-SHA256".to_owned(),
        "SDK-HMAC-SHA256 Access".to_owned(),
        good.replace("Access=AK", "Access="),
        good.replace("Access=AK", "Acces=AK"),
        good.replace("Access=AK", "Access=AK, Access=AK"),
        good.replace(
            "Access=AK",
            "Access=AK, Credential=AK/20260105///sdk_request",
        ),
        good.replace("Access=AK", "Credential=AK"),
        good.replace("Access=AK", "Credential=AK/2026/r/s/sdk_request"),
        good.replace("Access=AK", "Credential=AK/20260105/r/s/aws4_request"),
        good.replace("SDK-", "V11-"),
        good.replace("SignedHeaders", "Signed"),
        good.replace("Signature=", "Signature=0"),
        good.replace("Signature=", "Signature=z")
            .replace("=z0", "=z"),
        format!("{good}, Signature={}", "0".repeat(64)),
    ] {
        let error = Authorization::parse(&bad).unwrap_err();
        assert!(matches!(error, SignError::Malformed(_)), "{bad}: {error}");
    }
    for algorithm in ["AWS4-HMAC-SHA256 Credential=x", "Bearer abc", ""] {
        let error = Authorization::parse(algorithm).unwrap_err();
        assert!(
            matches!(error, SignError::NoSuchAlgorithm(_)),
            "{algorithm}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn what_we_sign_we_verify(
        path in "(/[ -~ü]{0,8}){1,4}",
        query in "[ -~]{0,24}",
        body in ".{0,16}",
    ) {
        let mut sent = Sent::get("/", &[("host", "h:7701")]);
        (sent.path, sent.query, sent.body) = (path.replace('?', ""), query, body.into_bytes());
        let header = sent.sign(&["host", "x-sdk-date"]);
        proptest::prop_assert_eq!(sent.verify(&header), Ok(Payload::Signed));
    }

    #[test]
    fn no_header_makes_the_reader_panic(header in ".{0,200}") {
        let _ = Authorization::parse(&header);
        let _ = Authorization::parse(&format!("SDK-HMAC-SHA256 {header}"));
    }
}
