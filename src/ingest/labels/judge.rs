//! What a labeler sent, judged label by label: form, who says it, whether they have signed it. Nothing here waits or remembers.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::atproto::PublicKey;
use crate::atproto::label::{Label, LabelError, LabelFrame, SentLabel};
use crate::queue::{QueuedLabel, encode_labels};

/// What labels are held against.
#[derive(Debug, Clone)]
pub struct Law {
    /// The labeler's DID.
    pub src: String,
    /// Any of these may have signed.
    pub keys: Vec<PublicKey>,
    /// Labels without a signature are taken.
    pub allow_unsigned: bool,
    /// What was said last, as it was told before: the number of a message, and its [`Judged::word`].
    pub held: Option<(i64, [u8; 32])>,
}

impl Law {
    /// Whether this message stands under the number that is held, and says something else.
    fn is_contradicted(&self, seq: i64, labels: &[Result<SentLabel<'_>, LabelError>]) -> bool {
        self.held.is_some_and(|(held, said)| held == seq && word(seq, labels).is_some_and(|word| word != said))
    }
}

/// The last word of a labeler on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The cursor is beyond what the labeler has: its numbers began anew.
    FutureCursor,
    Other,
}

/// What messages came to.
#[derive(Debug, Default)]
pub struct Judged {
    /// Number of the last message; where there is none, of the one before these.
    pub last: i64,
    /// Labels that hold, in the order in which they were said.
    pub labels: Vec<QueuedLabel>,
    /// Why each of the others does not.
    pub refused: Vec<&'static str>,
    /// Each message by its kind.
    pub kinds: Vec<&'static str>,
    /// Nothing follows.
    pub farewell: Option<Farewell>,
    /// Says what the newest message with a label said: a digest of its last one. Signatures are left out, since labelers sign again with a new
    /// key, and the labels before it, since they may be told in messages of their own another time.
    pub word: Option<(i64, [u8; 32])>,
    /// Under the number that is held stands another word than was said: the numbers began anew. That nothing stands there proves nothing:
    /// labelers give what they say again of a subject a new number.
    pub contradicts: bool,
}

impl Judged {
    /// Whether a label is not signed by the keys at hand: another may have come.
    #[must_use]
    pub fn doubts_keys(&self) -> bool {
        self.refused.contains(&UNFIT)
    }

    /// Labels and messages that cannot be used.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.refused.len() + self.kinds.iter().filter(|kind| **kind == UNREADABLE).count()
    }
}

const UNFIT: &str = "signature";
const UNREADABLE: &str = "unreadable";

/// Judges successive messages of a labeler that stood at `after`.
#[must_use]
pub fn judge(messages: &[Bytes], after: i64, law: &Law) -> Judged {
    let mut judged = Judged { last: after, ..Judged::default() };
    for message in messages {
        let kind = match LabelFrame::parse(message) {
            Err(_) => UNREADABLE,
            Ok(LabelFrame::Other) => "unknown",
            Ok(LabelFrame::Info { .. }) => "info",
            Ok(LabelFrame::Error { error }) => {
                judged.farewell = Some(if error == "FutureCursor" { Farewell::FutureCursor } else { Farewell::Other });
                "error"
            }
            Ok(LabelFrame::Labels { seq, labels }) if law.is_contradicted(seq, &labels) => {
                judged.contradicts = true;
                "labels"
            }
            // What comes again, or out of order, was passed before.
            Ok(LabelFrame::Labels { seq, .. }) if seq <= judged.last => "repeated",
            Ok(LabelFrame::Labels { seq, labels }) => {
                judged.last = seq;
                judged.word = word(seq, &labels).map(|word| (seq, word)).or(judged.word);
                for sent in labels {
                    match check(sent, law) {
                        Ok(label) => judged.labels.push(QueuedLabel { seq, label }),
                        Err(reason) => judged.refused.push(reason),
                    }
                }
                "labels"
            }
        };
        judged.kinds.push(kind);
        if judged.farewell.is_some() || judged.contradicts {
            break;
        }
    }
    judged
}

/// What a message says; `None` where that is nothing, or nothing that can be read.
fn word(seq: i64, labels: &[Result<SentLabel<'_>, LabelError>]) -> Option<[u8; 32]> {
    let last = labels.last()?.as_ref().ok()?;
    Some(Sha256::digest(encode_labels(&[QueuedLabel { seq, label: last.label.clone() }])).into())
}

fn check(sent: Result<SentLabel<'_>, LabelError>, law: &Law) -> Result<Label, &'static str> {
    let sent = sent.map_err(LabelError::reason)?;
    if sent.src != law.src {
        return Err("other_src");
    }
    match sent.sig {
        None if law.allow_unsigned => Ok(sent.label),
        None => Err("unsigned"),
        Some(_) if sent.is_signed_by(&law.keys) => Ok(sent.label),
        Some(_) => Err(UNFIT),
    }
}
