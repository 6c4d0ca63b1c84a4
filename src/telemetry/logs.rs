//! Log lines: for people on a terminal, or JSON; the role stands in each of them.
//!
//! Fields of the spans around an event are written with it, so a role's task only has to run inside of a span with a `role`. Text from
//! the network may stand in a field: control characters never reach the terminal.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Registry};

/// The role of lines that belong to none.
const NO_ROLE: &str = "daemon";

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: time, level, message, fields.
    Human,
    /// One object a line, fields at its top.
    Json,
}

/// Sends this process's log to standard error from now on; `level` as `log.level` has it. Fails where a log was set up before.
pub fn init(level: &str, format: Format) -> Result<(), TryInitError> {
    let lines = Lines { format, write: |line: &str| drop(io::stderr().lock().write_all(line.as_bytes())) };
    Registry::default().with(EnvFilter::builder().parse_lossy(level)).with(lines).try_init()
}

/// One line an event, made by `format`, given to `write`.
struct Lines<W> {
    format: Format,
    write: W,
}

/// What a span carries, kept with it.
struct Fields(Map<String, Value>);

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::from_iter([("role".to_owned(), Value::from(NO_ROLE))]));
        for span in context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.0.extend(outer.0.clone());
            }
        }
        event.record(&mut fields);
        // Where in its source a crate that logs by the `log` crate has the line: of no use here.
        fields.0.retain(|name, _| !name.starts_with("log."));
        let message = fields.0.remove("message").as_ref().map_or_else(String::new, plain);
        let line = match self.format {
            Format::Human => human(*event.metadata().level(), &message, &fields.0),
            Format::Json => json(event, message, fields.0),
        };
        (self.write)(&line);
    }
}

fn now() -> String {
    let mut text = String::new();
    // The clock's text is left out where it cannot be told; the line is worth more than its time.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// `2026-11-24T10:00:00.000000Z  INFO message role=worker key=value`
fn human(level: Level, message: &str, fields: &Map<String, Value>) -> String {
    let mut line = format!("{} {level:>5} ", now());
    push_visible(&mut line, message);
    for (key, value) in fields {
        line.push(' ');
        line.push_str(key);
        line.push('=');
        push_visible(&mut line, &plain(value));
    }
    line.push('\n');
    line
}

fn json(event: &Event<'_>, message: String, fields: Map<String, Value>) -> String {
    let mut object = fields;
    object.insert("timestamp".to_owned(), Value::from(now()));
    object.insert("level".to_owned(), Value::from(event.metadata().level().as_str()));
    object.insert("target".to_owned(), Value::from(event.metadata().target()));
    object.insert("message".to_owned(), Value::from(message));
    let mut line = Value::Object(object).to_string();
    line.push('\n');
    line
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Escapes what a terminal would act on.
fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        if write!(text, "{value:?}").is_ok() {
            self.0.insert(field.name().to_owned(), Value::from(text));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), Value::from(value));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn lines_of(format: Format, work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let layer = Lines { format, write: move |line: &str| sink.lock().unwrap().push(line.to_owned()) };
        tracing::subscriber::with_default(Registry::default().with(layer), work);
        lines.lock().unwrap().clone()
    }

    #[test]
    fn a_json_line_carries_role_and_fields_at_the_top() {
        let lines = lines_of(Format::Json, || {
            let _role = tracing::info_span!("role", role = "worker").entered();
            tracing::warn!(did = "did:web:a.example", duration_ms = 5, "slow");
        });
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        for (key, value) in [("role", "worker"), ("level", "WARN"), ("message", "slow"), ("did", "did:web:a.example")] {
            assert_eq!(line[key], value);
        }
        assert_eq!(line["duration_ms"], 5);
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn a_line_outside_of_any_role_is_the_daemons() {
        let lines = lines_of(Format::Human, || tracing::info!("hello"));
        assert!(lines[0].ends_with("  INFO hello role=daemon\n"), "{}", lines[0]);
    }

    #[test]
    fn control_characters_from_the_network_reach_no_terminal() {
        let lines = lines_of(Format::Human, || tracing::info!(handle = "\u{1b}[31m\nforged line", "seen"));
        assert_eq!(lines[0].matches('\n').count(), 1);
        assert!(!lines[0].contains('\u{1b}'));
    }
}
