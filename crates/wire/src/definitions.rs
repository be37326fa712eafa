//! Checks bodies against the definitions that the vendor publishes.
//!
//! The definitions are the JSON files of the crates `huawei-cloud-api-definitions-…`, one per
//! service; [`check`] is about CBR, [`check_of`] about any of them. Their code is
//! never compiled (it would generate types that refuse the vendor's own nulls): the crate is a
//! dependency for a target that does not exist, so that Cargo.lock names its version, and the
//! files are read from Cargo's registry, where they are fetched if they are missing.
//!
//! The tables say "string, mandatory" of fields that their own examples show as null. Null is
//! therefore accepted where a field is not mandatory, or where any published example shows it
//! at that field. Unknown fields are accepted, as clients do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;

use crate::operation::{OperationInfo, Service};

/// Whose definitions are published, and in which crate.
const CRATES: [(Service, &str); 4] = [
    (Service::Cbr, "huawei-cloud-api-definitions-CBR"),
    (Service::Dbss, "huawei-cloud-api-definitions-DBSS"),
    (Service::Ddm, "huawei-cloud-api-definitions-DDM"),
    (Service::Eps, "huawei-cloud-api-definitions-EPS"),
];

/// Whether a definition of CBR's operation is published.
pub fn is_published(operation: &str) -> bool {
    is_published_of(Service::Cbr, operation)
}

/// Whether a definition of the service's operation is published.
pub fn is_published_of(service: Service, operation: &str) -> bool {
    published(service)
        .as_ref()
        .is_ok_and(|published| published.operations.contains_key(operation))
}

/// What the definition of a service's operation shows as the body of that status.
pub fn example_of(service: Service, operation: &str, status: u16) -> Option<Value> {
    let published = published(service).as_ref().ok()?;
    let response = &published.operations.get(operation)?.responses()[status.to_string()];
    let examples = response["examples"].as_object()?;
    examples.values().next().cloned()
}

/// Checks the body of CBR's answer with that HTTP status; `Null` for an empty one.
pub fn check(operation: &str, status: u16, body: &Value) -> Result<(), Vec<String>> {
    check_of(Service::Cbr, operation, status, body)
}

/// Checks the body of an answer with that HTTP status; `Null` for an empty one.
///
/// Errors without a published schema must have the service's error shape.
pub fn check_of(
    service: Service,
    operation: &str,
    status: u16,
    body: &Value,
) -> Result<(), Vec<String>> {
    let published = published(service)
        .as_ref()
        .map_err(|error| vec![error.clone()])?;
    let definition = published
        .operations
        .get(operation)
        .ok_or_else(|| vec![format!("no definition of {operation} is published")])?;
    let mut check = Check {
        definition,
        nests_errors: nests_errors(service, operation),
        nullable: &published.nullable,
        problems: Vec::new(),
    };
    let response = &definition.responses()[status.to_string()];
    match response.get("schema") {
        _ if status >= 400 => check.error_shape(body),
        Some(schema) => check.value(schema, operation, body, ""),
        None if response.is_null() => check.problem("", format!("status {status} is not defined")),
        None if operation == "RestoreBackup" => {} // the undocumented job_id
        None if body.is_null() => {}
        None => check.problem("", "no body is defined"),
    }
    if service == Service::Ddm {
        // The definitions say that no page begins at the first row, that no list is empty and that
        // there is a reason why what is available is not; the vendor's own pages say otherwise.
        let made_up = [
            ": 0 breaks minimum 1",
            "breaks minLength 1",
            "breaks minItems 1",
        ];
        check
            .problems
            .retain(|problem| !made_up.iter().any(|one| problem.ends_with(one)));
    }
    if check.problems.is_empty() {
        Ok(())
    } else {
        Err(check.problems)
    }
}

/// All definitions, and the fields that some example shows as null.
struct Published {
    operations: BTreeMap<String, Definition>,
    nullable: BTreeSet<(String, String)>,
}

/// One file: `definitions` by name and `paths` with one operation.
struct Definition(Value);

impl Definition {
    fn named(&self, reference: &str) -> Option<(&str, &Value)> {
        let (name, schemas) = self.0["definitions"]
            .as_object()?
            .get_key_value(reference.rsplit('/').next()?)?;
        Some((name, schemas))
    }

    fn responses(&self) -> &Value {
        // A path may say its parameters beside its one method.
        let only = |value: &'_ Value| {
            let mut keys = value.as_object()?.keys();
            keys.find(|key| *key != "parameters").cloned()
        };
        let path = only(&self.0["paths"]).unwrap_or_default();
        let method = only(&self.0["paths"][&path]).unwrap_or_default();
        &self.0["paths"][&path][&method]["responses"]
    }
}

fn published(service: Service) -> &'static Result<Published, String> {
    static PUBLISHED: [OnceLock<Result<Published, String>>; CRATES.len()] =
        [const { OnceLock::new() }; CRATES.len()];
    static NONE: OnceLock<Result<Published, String>> = OnceLock::new();
    let Some(place) = CRATES.iter().position(|(of, _)| *of == service) else {
        return NONE.get_or_init(|| Err(format!("no definitions of {service} are published")));
    };
    PUBLISHED[place].get_or_init(|| {
        let folder = locate(CRATES[place].1)?;
        let mut operations = BTreeMap::new();
        for file in
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?
        {
            let path = file.map_err(|error| error.to_string())?.path();
            let name = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .map(str::to_owned);
            if let (Some("json"), Some(name)) = (path.extension().and_then(|e| e.to_str()), name) {
                let bytes =
                    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let value = serde_json::from_slice(&bytes)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                operations.insert(name, Definition(value));
            }
        }
        let nullable = nullable(&operations);
        Ok(Published {
            operations,
            nullable,
        })
    })
}

/// The folder of the JSON files, in the version that Cargo.lock names: in Cargo's registry, into
/// which `cargo info` fetches this one crate if nothing else has.
fn locate(name: &str) -> Result<PathBuf, String> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    let version = version(&lock, name).ok_or_else(|| format!("{name} is not in Cargo.lock"))?;
    if let Some(folder) = in_registry(name, version) {
        return Ok(folder);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["info", "--quiet", &format!("{name}@{version}")])
        .output()
        .map_err(|error| format!("cargo info: {error}"))?;
    in_registry(name, version).ok_or_else(|| {
        format!(
            "{name} cannot be fetched: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.contains(&format!("name = \"{name}\"")))?;
    entry.split("version = \"").nth(1)?.split('"').next()
}

fn in_registry(name: &str, version: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")))?;
    fs::read_dir(home.join("registry/src"))
        .ok()?
        .filter_map(Result::ok)
        .map(|index| index.path().join(format!("{name}-{version}/src")))
        .find(|folder| folder.is_dir())
}

/// The fields that some published example shows as null, by the name of their definition.
fn nullable(operations: &BTreeMap<String, Definition>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (name, definition) in operations {
        let responses = definition.responses().as_object();
        for response in responses.into_iter().flat_map(serde_json::Map::values) {
            let example = &response["examples"]["application/json"];
            collect_nulls(definition, &response["schema"], name, example, &mut found);
        }
    }
    found
}

fn collect_nulls(
    definition: &Definition,
    schema: &Value,
    name: &str,
    example: &Value,
    found: &mut BTreeSet<(String, String)>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        if let Some((name, schema)) = definition.named(reference) {
            collect_nulls(definition, schema, name, example, found);
        }
        return;
    }
    for item in example.as_array().into_iter().flatten() {
        collect_nulls(definition, &schema["items"], name, item, found);
    }
    for (field, value) in example.as_object().into_iter().flatten() {
        if value.is_null() {
            found.insert((name.to_owned(), field.clone()));
        } else {
            collect_nulls(definition, &schema["properties"][field], name, value, found);
        }
    }
}

/// DBSS's older paths do, its newer ones do not (docs/dbss.md, "What a call means here").
fn nests_errors(service: Service, operation: &str) -> bool {
    let old = |info: &OperationInfo| info.name == operation && info.path.contains("/dbss/audit/");
    service == Service::Eps || service.operations().iter().any(old)
}

/// One walk over a body, next to its schema.
struct Check<'a> {
    definition: &'a Definition,
    /// Whether the service's own errors stand below `error`; the gateway's never do.
    nests_errors: bool,
    nullable: &'a BTreeSet<(String, String)>,
    problems: Vec<String>,
}

impl Check<'_> {
    fn problem(&mut self, place: &str, problem: impl std::fmt::Display) {
        self.problems.push(format!(
            "{}: {problem}",
            if place.is_empty() { "/" } else { place }
        ));
    }

    fn error_shape(&mut self, body: &Value) {
        let nested = self.nests_errors && body["error"].is_object();
        let body = if nested { &body["error"] } else { body };
        for field in ["error_code", "error_msg"] {
            if !body[field].is_string() {
                self.problem(field, "an error must have this as text");
            }
        }
    }

    fn value(&mut self, schema: &Value, name: &str, value: &Value, place: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            match self.definition.named(reference) {
                Some((name, schema)) => {
                    let (name, schema) = (name.to_owned(), schema.clone());
                    self.value(&schema, &name, value, place);
                }
                None => self.problem(place, format!("{reference} is not defined")),
            }
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.value(part, name, value, place);
        }
        self.kind(schema, value, place);
        self.bounds(schema, value, place);
        self.fields(schema, name, value, place);
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.value(&schema["items"], name, item, &format!("{place}/{index}"));
        }
    }

    fn kind(&mut self, schema: &Value, value: &Value, place: &str) {
        let default = if schema["properties"].is_object() {
            "object"
        } else {
            ""
        };
        let kind = schema["type"].as_str().unwrap_or(default);
        let fits = match kind {
            "string" | "time" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            // "object" also stands for "anything" below additionalProperties.
            "object" if schema["properties"].is_object() => value.is_object(),
            _ => true,
        };
        if !fits {
            self.problem(place, format!("expected {kind}, found {value}"));
        }
    }

    fn bounds(&mut self, schema: &Value, value: &Value, place: &str) {
        if let Some(words) = schema["enum"]
            .as_array()
            .filter(|words| !words.contains(value))
        {
            self.problem(
                place,
                format!("{value} is none of {}", Value::from(words.clone())),
            );
        }
        let length = value
            .as_str()
            .map(|text| text.chars().count())
            .or_else(|| value.as_array().map(Vec::len))
            .and_then(|length| u32::try_from(length).ok())
            .map(f64::from);
        for (bound, measure, above) in [
            ("minimum", value.as_f64(), false),
            ("maximum", value.as_f64(), true),
            ("minLength", length.filter(|_| value.is_string()), false),
            ("maxLength", length.filter(|_| value.is_string()), true),
            ("minItems", length.filter(|_| value.is_array()), false),
            ("maxItems", length.filter(|_| value.is_array()), true),
        ] {
            if let (Some(limit), Some(measure)) = (schema[bound].as_f64(), measure)
                && if above {
                    measure > limit
                } else {
                    measure < limit
                }
            {
                self.problem(place, format!("{value} breaks {bound} {limit}"));
            }
        }
    }

    fn fields(&mut self, schema: &Value, name: &str, value: &Value, place: &str) {
        let Some(fields) = value.as_object() else {
            return;
        };
        let required: BTreeSet<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for field in required
            .iter()
            .filter(|field| !fields.contains_key(**field))
        {
            self.problem(place, format!("{field} is missing"));
        }
        for (field, value) in fields {
            let place = format!("{place}/{field}");
            let known = &schema["properties"][field];
            let schema = if known.is_null() {
                &schema["additionalProperties"]
            } else {
                known
            };
            if !value.is_null() {
                self.value(schema, name, value, &place);
            } else if required.contains(field.as_str())
                && !self.nullable.contains(&(name.to_owned(), field.clone()))
            {
                self.problem(&place, "null is shown nowhere");
            }
        }
    }
}
