//! HTML that cannot be broken out of: text enters through [`Text`] only.

use std::fmt;

/// Any value as text of a page.
pub(super) struct Text<T>(pub T);

impl<T: fmt::Display> fmt::Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                '\0' => self.0.write_char('\u{FFFD}')?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A number with its thousands apart: `1 234 567` (narrow no-break spaces).
pub(super) struct Number(pub i64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str("\u{202f}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(Text("<a href='x'>\"&\0</a>").to_string(), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{FFFD}&lt;/a&gt;");
        assert_eq!(Text(12).to_string(), "12");
    }

    #[test]
    fn thousands_stand_apart() {
        let shown = |n| Number(n).to_string().replace('\u{202f}', " ");
        assert_eq!([shown(0), shown(999), shown(-1000), shown(1_234_567)], ["0", "999", "-1 000", "1 234 567"]);
    }
}
