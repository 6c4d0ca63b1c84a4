//! JSON web tokens in the one form that AT Protocol has: three parts, signed. Only taken apart here; nothing of it is true before its
//! signature is checked against a key that its reader chose.

use data_encoding::BASE64URL_NOPAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::SigningKey;

/// Longest token that is read: two DIDs of the longest kind take 5.5 KB.
const MAX_TOKEN: usize = 8 * 1024;

/// A token's parts, unchecked.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwt<'a> {
    pub header: Header,
    /// What was signed: header and payload as they came.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    payload: Vec<u8>,
}

/// What the header says, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Header {
    pub alg: String,
    pub typ: Option<String>,
    /// Which key of the issuer signed.
    pub kid: Option<String>,
    /// Extensions that a reader must understand; none is understood here.
    crit: Option<IgnoredAny>,
}

/// The claims of service auth.
///
/// Source: <https://atproto.com/specs/xrpc#inter-service-authentication-jwt>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Account, perhaps with the fragment of one of its services.
    pub iss: String,
    /// Service, perhaps with its fragment.
    pub aud: String,
    /// When it ends, in seconds since 1970. Some write fractions; many can read none.
    pub exp: Number,
    /// The method that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lxm: Option<String>,
}

/// The text is no token, or one whose claims are not of their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON web token")]
pub struct JwtError;

impl<'a> Jwt<'a> {
    /// Takes a token apart: three parts of base64url without padding, the first two objects of JSON without a key twice.
    ///
    /// # Errors
    /// Another form, too long, or with an extension that must be understood.
    pub fn parse(token: &'a str) -> Result<Self, JwtError> {
        if token.len() > MAX_TOKEN {
            return Err(JwtError);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError)?;
        let header: Header = object(&decode(header)?)?;
        if header.crit.is_some() {
            return Err(JwtError);
        }
        Ok(Self { header, signed, signature: decode(signature)?, payload: decode(payload)? })
    }

    /// The payload as claims of this kind.
    ///
    /// # Errors
    /// One is absent or of another type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JwtError> {
        object(&self.payload)
    }
}

/// A part has no point in it: the alphabet sees to it.
fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| JwtError)
}

/// serde would also read a list, by position.
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JwtError> {
    let begins = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if begins == Some(&b'{') { serde_json::from_slice(bytes).map_err(|_| JwtError) } else { Err(JwtError) }
}

/// A token of these claims, signed by the issuer's key.
#[must_use]
pub fn issue(claims: &Claims, key: &SigningKey) -> String {
    let part = |json: &[u8]| BASE64URL_NOPAD.encode(json);
    // Texts and one number: there is nothing that could not be written.
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{}.{}", part(br#"{"typ":"JWT","alg":"ES256K"}"#), part(&claims));
    let signature = part(&key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(header: &str, payload: &str) -> String {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.{}", part(header), part(payload), part("signature"))
    }

    fn claims(payload: &str) -> Result<Claims, JwtError> {
        Jwt::parse(&token(r#"{"alg":"ES256"}"#, payload))?.claims()
    }

    #[test]
    fn what_is_issued_is_read_and_its_signature_holds() {
        let key = SigningKey::from_bytes([7; 32]).unwrap();
        let written =
            Claims { iss: "did:plc:a".to_owned(), aud: "did:web:b".to_owned(), exp: 1_000_000_000.into(), lxm: Some("a.b.c".to_owned()) };
        let token = issue(&written, &key);
        let jwt = Jwt::parse(&token).unwrap();
        assert_eq!((jwt.header.alg.as_str(), jwt.claims()), ("ES256K", Ok(written)));
        assert!(String::from_utf8_lossy(&jwt.payload).contains("\"exp\":1000000000,"), "an integer");
        assert!(key.public_key().verify(jwt.signed.as_bytes(), &jwt.signature));
    }

    #[test]
    fn only_three_parts_of_strict_base64url_and_json_objects_are_a_token() {
        let good = token(r##"{"alg":"ES256","typ":"JWT","kid":"#atproto","x":1}"##, "{}");
        assert!(Jwt::parse(&good).is_ok());
        let (head, tail) = good.split_once('.').unwrap();
        for bad in [
            String::new(),
            "..".to_owned(),
            head.to_owned(),
            format!("{head}.e30"),
            format!("{good}.e30"),
            format!("{good}="),
            format!(" {good}"),
            format!("{head}\n.{tail}"),
            good.replace("e30", "e31"),
            good.replace("e30", "+30"),
            token("[\"ES256\"]", "{}"),
            token("{}", "{}"),
            token(r#"{"alg":1}"#, "{}"),
            token(r#"{"alg":"ES256","alg":"none"}"#, "{}"),
            token(r#"{"alg":"ES256","crit":["exp"]}"#, "{}"),
            token(r#"{"alg":"ES256"} {}"#, "{}"),
            token(&format!("{}{}", r#"{"alg":"ES256","x":"#, "[".repeat(1000)), "{}"),
        ] {
            assert_eq!(Jwt::parse(&bad), Err(JwtError), "{bad}");
        }
        let long = token(r#"{"alg":"ES256"}"#, &format!("{{\"x\":\"{}\"}}", "y".repeat(MAX_TOKEN)));
        assert_eq!(Jwt::parse(&long), Err(JwtError));
    }

    #[test]
    fn claims_are_of_their_kind() {
        assert!(claims(r#"{"iss":"a","aud":"b","exp":1.5,"iat":1,"jti":"x"}"#).is_ok());
        for bad in [
            "",
            "null",
            "[\"a\",\"b\",1,\"c\"]",
            r#"{"iss":"a","aud":"b"}"#,
            r#"{"iss":"a","aud":"b","exp":"1"}"#,
            r#"{"iss":"a","aud":["b"],"exp":1}"#,
            r#"{"iss":1,"aud":"b","exp":1}"#,
            r#"{"aud":"b","exp":1}"#,
            r#"{"iss":"a","iss":"c","aud":"b","exp":1}"#,
            r#"{"iss":"a","aud":"b","exp":1,"lxm":["c"]}"#,
            r#"{"iss":"a","aud":"b","exp":1e999}"#,
        ] {
            assert_eq!(claims(bad), Err(JwtError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = Jwt::parse(&text);
        }

        #[test]
        fn no_bytes_in_the_parts_panic(header: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) {
            let parts = [header, payload, signature].map(|part| BASE64URL_NOPAD.encode(&part));
            if let Ok(jwt) = Jwt::parse(&parts.join(".")) {
                let _ = jwt.claims::<Claims>();
            }
        }
    }
}
