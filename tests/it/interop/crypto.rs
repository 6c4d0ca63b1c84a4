//! Keys and signatures against the interoperability vectors.

use appviewd::atproto::{PublicKey, SigningKey};
use data_encoding::{BASE64_NOPAD, HEXLOWER};
use serde_json::Value;

use crate::support::data;

fn vectors(name: &str) -> Option<Vec<Value>> {
    Some(serde_json::from_slice(&data::read(&format!("interop/crypto/{name}"))?).unwrap())
}

#[test]
fn signatures_are_judged_as_the_vectors_say() {
    let Some(cases) = vectors("signature-fixtures.json") else { return };
    let mut taken = 0;
    for case in &cases {
        let text = |key: &str| case[key].as_str().unwrap();
        let message = BASE64_NOPAD.decode(text("messageBase64").as_bytes()).unwrap();
        let signature = BASE64_NOPAD.decode(text("signatureBase64").as_bytes()).unwrap();
        let by_did = PublicKey::from_did_key(text("publicKeyDid")).unwrap();
        let by_method = PublicKey::from_verification_method(text("didDocSuite"), text("publicKeyMultibase")).unwrap();
        for key in [by_did, by_method] {
            let holds = key.verify(&message, &signature);
            assert_eq!(holds, case["validSignature"].as_bool().unwrap(), "{}", text("comment"));
            assert!(!key.verify(b"another message", &signature), "{}", text("comment"));
            taken += usize::from(holds);
        }
    }
    assert_eq!((cases.len(), taken), (6, 4));
}

#[test]
fn secret_keys_lead_to_their_did_keys() {
    let Some(cases) = vectors("w3c_didkey_K256.json") else { return };
    for case in &cases {
        let secret = HEXLOWER.decode(case["privateKeyBytesHex"].as_str().unwrap().as_bytes()).unwrap();
        let key = SigningKey::from_bytes(secret.try_into().unwrap()).unwrap();
        let did_key = case["publicDidKey"].as_str().unwrap();
        assert_eq!(key.did_key(), did_key);
        let signature = key.sign(b"message");
        assert!(PublicKey::from_did_key(did_key).unwrap().verify(b"message", &signature));
        assert_eq!(signature, key.sign(b"message"), "signing is deterministic");
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn did_keys_of_p256_are_read() {
    let Some(cases) = vectors("w3c_didkey_P256.json") else { return };
    for case in &cases {
        assert!(PublicKey::from_did_key(case["publicDidKey"].as_str().unwrap()).is_ok());
    }
    assert_eq!(cases.len(), 1);
}

#[test]
fn keys_of_did_documents_old_and_new_are_read() {
    let mut read = 0;
    for name in ["did_plc_doc.json", "did_plc_doc_legacy.json", "did_web_doc.json"] {
        let Some(document) = data::read(&format!("identity/{name}")) else { return };
        let document: Value = serde_json::from_slice(&document).unwrap();
        for method in document["verificationMethod"].as_array().unwrap() {
            let (kind, key) = (method["type"].as_str().unwrap(), method["publicKeyMultibase"].as_str().unwrap());
            assert!(PublicKey::from_verification_method(kind, key).is_ok(), "{name}: {kind} {key}");
            read += 1;
        }
    }
    assert_eq!(read, 2);
}

#[test]
fn texts_that_are_no_keys_are_refused() {
    let long = format!("did:key:z{}", "1".repeat(500));
    for text in ["", "did:key:", "did:key:z", "did:key:zQ3sh", "did:key:mAAAA", "did:web:example.com", "did:key:z0OIl", &long] {
        assert!(PublicKey::from_did_key(text).is_err(), "{text}");
    }
    assert!(SigningKey::from_bytes([0; 32]).is_err());
    assert!(SigningKey::from_bytes([0xff; 32]).is_err());
}
