//! The effective options as `config.toml` lines, each with who set it. Passwords never appear.

use serde_json::Value;

use super::layers::Loaded;

/// Options whose value is an address that may hold a password.
const ADDRESSES: &[&str] = &["redis.url", "database.url", "database.api_url", "relay.url"];

/// Options that are secrets, or lists of them.
const SECRETS: &[&str] = &["admin.password", "admin.passwords", "service.signing_key"];

/// All options with their values; what is absent is a comment.
pub fn render(loaded: &Loaded) -> String {
    let values = serde_json::to_value(&loaded.config).unwrap_or_default();
    let mut lines = Vec::new();
    let mut section = "";
    let mut known = super::layers::known_keys();
    known.sort_by_key(|key| key.contains('.'));
    for key in &known {
        let (in_section, name) = key.rsplit_once('.').unwrap_or(("", key));
        if in_section != section {
            lines.push(format!("\n[{in_section}]"));
            section = in_section;
        }
        match values.pointer(&format!("/{}", key.replace('.', "/"))) {
            None | Some(Value::Null) => lines.push(format!("# {name} is not set")),
            Some(value) => lines.push(format!("{name} = {}  # {}", hidden(key, value), loaded.source(key))),
        }
    }
    lines.join("\n") + "\n"
}

/// The value as TOML, which for plain values is what JSON is.
fn hidden(key: &str, value: &Value) -> String {
    match value.as_str() {
        Some(_) if SECRETS.contains(&key) => Value::from("***").to_string(),
        None if SECRETS.contains(&key) => Value::from(vec!["***"; value.as_array().map_or(0, Vec::len)]).to_string(),
        Some(url) if ADDRESSES.contains(&key) => Value::from(without_password(url)).to_string(),
        _ => value.to_string(),
    }
}

/// The address with its password, and a parameter's that is one, replaced by `***`.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "***".to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let rest = match rest.rsplit_once('@') {
        Some((user, place)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{place}"),
            None => format!("{user}@{place}"),
        },
        None => rest.to_owned(),
    };
    let query = query.map(|query| format!("?{}", query.split('&').map(without_value).collect::<Vec<_>>().join("&"))).unwrap_or_default();
    format!("{scheme}://{rest}{query}")
}

fn without_value(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if name.contains("pass") => format!("{name}=***"),
        _ => parameter.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, layers};
    use super::*;

    #[test]
    fn passwords_are_hidden_and_sources_shown() {
        let environment = vec![
            ("DATABASE_URL".to_owned(), "postgres://me:hunter2@db.example/x?password=hunter3".to_owned()),
            ("REDIS_URL".to_owned(), "redis://:hunter4@cache.example".to_owned()),
            ("ADMIN_PASSWORD".to_owned(), "hunter5".to_owned()),
            ("ADMIN_PASSWORDS".to_owned(), "hunter6,hunter7".to_owned()),
        ];
        let text = render(&layers::load(&Sources { environment, ..Sources::default() }).unwrap());
        assert!(!text.contains("hunter"), "{text}");
        assert!(text.contains("url = \"postgres://me:***@db.example/x?password=***\"  # DATABASE_URL"), "{text}");
        assert!(text.contains("url = \"redis://:***@cache.example\"  # REDIS_URL"), "{text}");
        assert!(text.contains("password = \"***\"  # ADMIN_PASSWORD\n"), "{text}");
        assert!(text.contains("passwords = [\"***\",\"***\"]  # ADMIN_PASSWORDS\n"), "{text}");
        assert!(text.contains("# api_url is not set"), "{text}");
        assert!(text.contains("port = 3000  # default"), "{text}");
    }

    #[test]
    fn what_is_shown_is_a_config_file() {
        let loaded = layers::load(&Sources::default()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, render(&loaded)).unwrap();
        let again = layers::load(&Sources { file: Some(file.path().to_owned()), ..Sources::default() }).unwrap();
        assert_eq!(again.config, loaded.config);
    }
}
