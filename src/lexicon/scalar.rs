//! Rules of single values, which hold in records and in parameters alike.

use unicode_segmentation::UnicodeSegmentation;

use super::Invalid;
use super::schema::{Bounds, Integer, Text};

type Judged = Result<(), Invalid>;

pub(super) fn boolean(constant: Option<bool>, value: bool) -> Judged {
    match constant {
        Some(only) if only != value => Err(Invalid::new(format!("must be {only}"))),
        _ => Ok(()),
    }
}

pub(super) fn integer(rule: &Integer, value: i64) -> Judged {
    if !rule.choices.is_empty() && !rule.choices.contains(&value) {
        return Err(choice(&rule.choices));
    }
    if value > rule.bounds.most {
        return Err(Invalid::new(format!("can not be greater than {}", rule.bounds.most)));
    }
    if value < rule.bounds.least {
        return Err(Invalid::new(format!("can not be less than {}", rule.bounds.least)));
    }
    Ok(())
}

pub(super) fn text(rule: &Text, value: &str) -> Judged {
    if !rule.choices.is_empty() && !rule.choices.iter().any(|choice| **choice == *value) {
        return Err(choice(&rule.choices));
    }
    if value.len() > rule.length.most {
        return Err(Invalid::new(format!("must not be longer than {} characters", rule.length.most)));
    }
    if value.len() < rule.length.least {
        return Err(Invalid::new(format!("must not be shorter than {} characters", rule.length.least)));
    }
    graphemes(rule.graphemes, value)?;
    match rule.format {
        Some(format) if !format.holds(value) => Err(Invalid::new(format.reason())),
        _ => Ok(()),
    }
}

fn choice(choices: &[impl ToString]) -> Invalid {
    let names: Vec<_> = choices.iter().map(ToString::to_string).collect();
    match &names[..] {
        [only] => Invalid::new(format!("must be {only}")),
        _ => Invalid::new(format!("must be one of ({})", names.join("|"))),
    }
}

/// Graphemes as people count characters: never more of them than bytes, so that most texts need no counting.
fn graphemes(allowed: Bounds, text: &str) -> Judged {
    if text.len() <= allowed.most && allowed.least == 0 {
        return Ok(());
    }
    let count = text.graphemes(true).count();
    if count > allowed.most {
        return Err(Invalid::new(format!("must not be longer than {} graphemes", allowed.most)));
    }
    if count < allowed.least {
        return Err(Invalid::new(format!("must not be shorter than {} graphemes", allowed.least)));
    }
    Ok(())
}
