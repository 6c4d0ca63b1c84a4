//! From lexicon documents (JSON) to the tree that judges. Never guesses: what the lexicon language does not have is an error, and so is a
//! reference to what is not there.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::format::Format;
use super::schema::{Blob, Bounds, DefId, Integer, KeyType, Lexicons, Method, MethodKind, Object, Property, Record, Schema, Text, Union};
use crate::atproto::Nsid;
use crate::atproto::cbor::key_order;

/// Why documents are no set of lexicons.
#[derive(Debug, thiserror::Error)]
pub enum LexiconError {
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{name}: {what}")]
    Schema { name: String, what: String },
}

type Parsed<T> = Result<T, LexiconError>;

fn wrong<T>(name: &str, what: impl Into<String>) -> Parsed<T> {
    Err(LexiconError::Schema { name: name.to_owned(), what: what.into() })
}

impl Lexicons {
    /// Reads an array of lexicon documents, as `lexicon::compile` writes it.
    pub fn parse(text: &str) -> Parsed<Self> {
        let documents: Vec<Document> = serde_json::from_str::<Vec<Value>>(text)?.into_iter().map(Document::read).collect::<Parsed<_>>()?;
        let mut names = HashMap::new();
        for document in &documents {
            for name in document.defs.iter().filter(|(_, def)| is_named(def)).map(|(name, _)| full_name(&document.id, name)) {
                let next = DefId(names.len());
                names.insert(name, next);
            }
        }
        let mut lexicons = Self::default();
        for document in &documents {
            let scope = Scope { id: &document.id, names: &names };
            for (name, def) in &document.defs {
                scope.definition(name, def, &mut lexicons)?;
            }
        }
        Ok(lexicons)
    }
}

struct Document {
    id: String,
    defs: Map<String, Value>,
}

impl Document {
    fn read(mut document: Value) -> Parsed<Self> {
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !Nsid::is_valid(&id) {
            return wrong(&id, "id is no NSID");
        }
        match document.get_mut("defs").map(Value::take) {
            Some(Value::Object(defs)) => Ok(Self { id, defs }),
            _ => wrong(&id, "defs is no object"),
        }
    }
}

/// Whether a reference can name the definition.
fn is_named(def: &Value) -> bool {
    !matches!(kind(def), "query" | "procedure" | "subscription" | "permission-set")
}

fn kind(def: &Value) -> &str {
    def.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// `nsid#name`, or only the NSID of a main definition: the form of `$type`.
fn full_name(id: &str, name: &str) -> String {
    if name == "main" { id.to_owned() } else { format!("{id}#{name}") }
}

/// Where a definition stands.
struct Scope<'a> {
    id: &'a str,
    names: &'a HashMap<String, DefId>,
}

impl Scope<'_> {
    fn wrong<T>(&self, what: impl Into<String>) -> Parsed<T> {
        wrong(self.id, what)
    }

    /// Definitions come in the order in which their ids were given.
    fn definition(&self, name: &str, def: &Value, into: &mut Lexicons) -> Parsed<()> {
        let kind = kind(def);
        if matches!(kind, "record" | "query" | "procedure" | "subscription" | "permission-set") && name != "main" {
            return self.wrong(format!("{kind} must be the main definition"));
        }
        match kind {
            "permission-set" => return Ok(()),
            "query" | "procedure" | "subscription" => {
                into.methods.insert(self.id.into(), self.method(kind, def)?);
                return Ok(());
            }
            "record" => {
                let def_id = DefId(into.defs.len());
                into.records.insert(self.id.into(), Record { key: self.key_type(def)?, def: def_id });
                let record = def.get("record").unwrap_or(&Value::Null);
                into.defs.push(Schema::Object(self.object(record)?));
            }
            "token" => into.defs.push(Schema::Token(full_name(self.id, name).into())),
            "unknown" | "ref" | "union" => return self.wrong(format!("{kind} cannot be a definition")),
            _ => into.defs.push(self.schema(def)?),
        }
        Ok(())
    }

    fn key_type(&self, def: &Value) -> Parsed<KeyType> {
        match def.get("key").and_then(Value::as_str).unwrap_or_default() {
            "tid" => Ok(KeyType::Tid),
            "nsid" => Ok(KeyType::Nsid),
            "any" => Ok(KeyType::Any),
            other => match other.strip_prefix("literal:") {
                Some(key) => Ok(KeyType::Literal(key.into())),
                None => self.wrong("unknown type of record key"),
            },
        }
    }

    fn method(&self, kind: &str, def: &Value) -> Parsed<Method> {
        let body = |name| def.get(name).and_then(|body| body.get("schema")).map(|schema| self.schema(schema)).transpose();
        Ok(Method {
            kind: match kind {
                "query" => MethodKind::Query,
                "procedure" => MethodKind::Procedure,
                _ => MethodKind::Subscription,
            },
            params: def.get("parameters").map(|params| self.properties(params)).transpose()?.unwrap_or_default(),
            input: body("input")?,
            output: body("output")?,
        })
    }

    fn schema(&self, def: &Value) -> Parsed<Schema> {
        Ok(match kind(def) {
            "boolean" => Schema::Boolean {
                constant: def.get("const").and_then(Value::as_bool),
                default: def.get("default").and_then(Value::as_bool),
            },
            "integer" => Schema::Integer(integer(def)),
            "string" => Schema::Text(self.text(def)?),
            "bytes" => Schema::Bytes(bounds(def, "minLength", "maxLength")),
            "cid-link" => Schema::CidLink,
            "blob" => Schema::Blob(Blob { accept: texts(def.get("accept")), max_size: int(def, "maxSize").unwrap_or(i64::MAX) }),
            "array" => Schema::Array {
                items: Box::new(self.schema(def.get("items").unwrap_or(&Value::Null))?),
                length: bounds(def, "minLength", "maxLength"),
            },
            "object" => Schema::Object(self.object(def)?),
            "ref" => Schema::Ref(self.resolve(def.get("ref").and_then(Value::as_str).unwrap_or_default())?.1),
            "union" => Schema::Union(self.union(def)?),
            "unknown" => Schema::Unknown,
            other => return self.wrong(format!("unknown type {other:?}")),
        })
    }

    fn object(&self, def: &Value) -> Parsed<Object> {
        if kind(def) != "object" {
            return self.wrong("a record is no object");
        }
        let mut properties = self.properties(def)?;
        properties.sort_by(|a, b| key_order(&a.name, &b.name));
        Ok(Object { properties })
    }

    fn properties(&self, def: &Value) -> Parsed<Vec<Property>> {
        let (required, nullable) = (texts(def.get("required")), texts(def.get("nullable")));
        let Some(properties) = def.get("properties").and_then(Value::as_object) else { return Ok(Vec::new()) };
        let property = |(name, schema): (&String, &Value)| {
            Ok(Property {
                schema: self.schema(schema)?,
                required: required.iter().any(|r| **r == **name),
                nullable: nullable.iter().any(|n| **n == **name),
                name: name.as_str().into(),
            })
        };
        properties.iter().map(property).collect()
    }

    fn text(&self, def: &Value) -> Parsed<Text> {
        let format = match def.get("format").and_then(Value::as_str) {
            Some(name) => Some(Format::from_name(name).map_or_else(|| self.wrong(format!("unknown format {name:?}")), Ok)?),
            None => None,
        };
        let constant = def.get("const").and_then(Value::as_str).map(Into::into);
        Ok(Text {
            length: bounds(def, "minLength", "maxLength"),
            graphemes: bounds(def, "minGraphemes", "maxGraphemes"),
            choices: constant.map_or_else(|| texts(def.get("enum")), |only| vec![only]),
            format,
            default: def.get("default").and_then(Value::as_str).map(Into::into),
        })
    }

    fn union(&self, def: &Value) -> Parsed<Union> {
        let refs = texts(def.get("refs"));
        let members = refs.iter().map(|name| self.resolve(name).map(|(name, def)| (name.into(), def)));
        Ok(Union { members: members.collect::<Parsed<_>>()?, closed: def.get("closed").and_then(Value::as_bool).unwrap_or(false) })
    }

    fn resolve(&self, reference: &str) -> Parsed<(String, DefId)> {
        let (id, name) = reference.split_once('#').unwrap_or((reference, "main"));
        let full = full_name(if id.is_empty() { self.id } else { id }, name);
        match self.names.get(&full) {
            Some(def) => Ok((full, *def)),
            None => self.wrong(format!("refers to {full:?}, which is not defined")),
        }
    }
}

fn integer(def: &Value) -> Integer {
    let choices = def.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let constant = int(def, "const");
    Integer {
        bounds: Bounds { least: int(def, "minimum").unwrap_or(i64::MIN), most: int(def, "maximum").unwrap_or(i64::MAX) },
        choices: constant.map_or_else(|| choices.iter().filter_map(Value::as_i64).collect(), |only| vec![only]),
        default: int(def, "default"),
    }
}

fn int(def: &Value, key: &str) -> Option<i64> {
    def.get(key).and_then(Value::as_i64)
}

fn bounds(def: &Value, least: &str, most: &str) -> Bounds {
    let size = |key| int(def, key).and_then(|n| usize::try_from(n).ok());
    Bounds { least: size(least).unwrap_or(0), most: size(most).unwrap_or(usize::MAX) }
}

fn texts(value: Option<&Value>) -> Vec<Box<str>> {
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).map(Into::into).collect()
}
