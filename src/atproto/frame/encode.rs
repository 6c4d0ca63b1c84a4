//! Writes frames, for those who play a relay.

use super::super::Cid;
use super::super::cbor::Writer;
use super::{CommitFrame, Frame, OpFrame};

pub(super) fn encode(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Writer::new();
    match frame {
        Frame::Commit(commit) => write_commit(header(&mut out, "#commit"), commit),
        Frame::Sync(f) => {
            header(&mut out, "#sync").map(5).text("did").text(f.did).text("rev").text(f.rev).text("seq").int(f.seq);
            out.text("time").text(f.time).text("blocks").bytes(f.blocks);
        }
        Frame::Identity(f) => {
            header(&mut out, "#identity").map(3 + usize::from(f.handle.is_some()));
            out.text("did").text(f.did).text("seq").int(f.seq).text("time").text(f.time);
            optional(&mut out, "handle", f.handle);
        }
        Frame::Account(f) => {
            header(&mut out, "#account").map(4 + usize::from(f.status.is_some()));
            out.text("did").text(f.did).text("seq").int(f.seq).text("time").text(f.time).text("active").bool(f.active);
            optional(&mut out, "status", f.status);
        }
        Frame::Info { name, message } => {
            header(&mut out, "#info").map(1 + usize::from(message.is_some())).text("name").text(name);
            optional(&mut out, "message", *message);
        }
        Frame::Error { error, message } => {
            out.map(1).text("op").int(-1);
            out.map(1 + usize::from(message.is_some())).text("error").text(error);
            optional(&mut out, "message", *message);
        }
        Frame::Other { t, seq } => {
            header(&mut out, t).map(usize::from(seq.is_some()));
            if let Some(seq) = seq {
                out.text("seq").int(*seq);
            }
        }
    }
    out.into_bytes()
}

fn header<'w>(out: &'w mut Writer, t: &str) -> &'w mut Writer {
    out.map(2).text("t").text(t).text("op").int(1)
}

fn optional(out: &mut Writer, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.text(key).text(value);
    }
}

fn nullable(out: &mut Writer, cid: Option<&Cid>) {
    match cid {
        Some(cid) => out.link(cid),
        None => out.null(),
    };
}

fn write_commit(out: &mut Writer, f: &CommitFrame<'_>) {
    out.map(11 + usize::from(f.prev_data.is_some())).text("ops").array(f.ops.len());
    for op in &f.ops {
        write_op(out, op);
    }
    out.text("rev").text(f.rev).text("seq").int(f.seq).text("repo").text(f.repo).text("time").text(f.time).text("blobs").array(0);
    out.text("since");
    match f.since {
        Some(since) => out.text(since),
        None => out.null(),
    };
    out.text("blocks").bytes(f.blocks).text("commit").link(&f.commit).text("rebase").bool(f.rebase).text("tooBig").bool(f.too_big);
    if let Some(prev_data) = &f.prev_data {
        out.text("prevData").link(prev_data);
    }
}

fn write_op(out: &mut Writer, op: &OpFrame<'_>) {
    out.map(3 + usize::from(op.prev.is_some())).text("cid");
    nullable(out, op.cid.as_ref());
    out.text("path").text(op.path);
    if let Some(prev) = &op.prev {
        out.text("prev").link(prev);
    }
    out.text("action").text(op.action);
}
