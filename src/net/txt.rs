//! TXT records, asked of the system's name servers: one question of DNS, of which nothing else is needed (a resolver library brings a
//! cache, validation and fifteen crates).
//!
//! Takes only answers to its own question: the number, the name and the server must be those that were asked. Everything read is bounded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// Where the system says which servers to ask.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Servers that are asked, as the C library does.
const MAX_SERVERS: usize = 3;
/// Times that all servers are asked in turn.
const ROUNDS: usize = 2;
/// Time for one server to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Datagrams of others that are passed over before the question counts as unanswered.
const MAX_FOREIGN: usize = 16;
/// Longest answer by UDP that is asked for: it fits the packets of every network.
const UDP_SIZE: u16 = 1232;
/// Records of an answer that are looked at.
const MAX_RECORDS: u16 = 64;
const TXT: u16 = 16;
const INTERNET: u16 = 1;
const OPT: u16 = 41;

/// The servers did not answer the question.
#[derive(Debug, thiserror::Error)]
pub enum TxtError {
    #[error("no name server answers: {0}")]
    Unreachable(io::Error),
    #[error("the name server failed with code {0}")]
    Failed(u8),
    #[error("{0:?} is no name")]
    Name(String),
}

/// Asks name servers.
#[derive(Debug)]
pub struct TxtResolver {
    given: Option<SocketAddr>,
    system: OnceCell<Vec<SocketAddr>>,
}

impl TxtResolver {
    /// Asks `server`, or those of the system.
    #[must_use]
    pub fn new(server: Option<SocketAddr>) -> Self {
        Self { given: server, system: OnceCell::new() }
    }

    /// The texts of `name`, each record's strings joined; empty where there is no such name or it has none.
    ///
    /// # Errors
    /// No server answered, or the last one failed.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, TxtError> {
        let servers = match self.given {
            Some(server) => vec![server],
            None => self.system.get_or_init(system).await.clone(),
        };
        let mut last = TxtError::Unreachable(io::ErrorKind::NotFound.into());
        for server in std::iter::repeat_n(&servers, ROUNDS).flatten() {
            let id = fastrand::u16(..);
            let question = question(id, name).ok_or_else(|| TxtError::Name(name.to_owned()))?;
            let asked = timeout(ANSWER, ask(*server, &question)).await;
            match asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(Reply::Texts(texts)) => return Ok(texts),
                Ok(Reply::Failed(code)) => last = TxtError::Failed(code),
                Ok(Reply::Cut) => last = TxtError::Unreachable(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => last = TxtError::Unreachable(error),
            }
        }
        Err(last)
    }
}

async fn system() -> Vec<SocketAddr> {
    let text = tokio::fs::read_to_string(RESOLV_CONF).await.unwrap_or_default();
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok());
    let servers: Vec<SocketAddr> = named.take(MAX_SERVERS).map(|ip| SocketAddr::new(ip, 53)).collect();
    if servers.is_empty() { vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 53))] } else { servers }
}

async fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Reply> {
    let local = if server.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { IpAddr::from(Ipv6Addr::UNSPECIFIED) };
    let socket = UdpSocket::bind((local, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut buffer = [0; UDP_SIZE as usize];
    for _ in 0..MAX_FOREIGN {
        let length = socket.recv(&mut buffer).await?;
        match buffer.get(..length).and_then(|answer| read(answer, question)) {
            Some(Reply::Cut) => return ask_tcp(server, question).await,
            Some(reply) => return Ok(reply),
            None => {}
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// For answers that do not fit a datagram.
async fn ask_tcp(server: SocketAddr, question: &[u8]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    read(&answer, question).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Texts(Vec<String>),
    /// The answer is longer than the datagram.
    Cut,
    /// By its code: 2 = server failure, 5 = refused.
    Failed(u8),
}

/// A query with recursion; a second part tells which size of datagram is taken. `None`: no name.
fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(64);
    for word in [id, 0x0100, 1, 0, 0, 1] {
        bytes.extend(u16::to_be_bytes(word));
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    if bytes.len() > 12 + 255 {
        return None;
    }
    for word in [TXT, INTERNET] {
        bytes.extend(u16::to_be_bytes(word));
    }
    bytes.push(0);
    for word in [OPT, UDP_SIZE, 0, 0, 0] {
        bytes.extend(u16::to_be_bytes(word));
    }
    Some(bytes)
}

/// Reads an answer to `question`; `None` where it is another's or no answer at all.
fn read(answer: &[u8], question: &[u8]) -> Option<Reply> {
    let word = |at: usize| answer.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]]));
    // Number, and behind the head the question itself, in whatever case.
    let asked = question.get(12..question.len() - 11)?;
    let echoed = answer.get(12..12 + asked.len())?;
    let flags = word(2)?;
    if word(0)? != u16::from_be_bytes([*question.first()?, *question.get(1)?])
        || flags & 0x8000 == 0
        || word(4)? != 1
        || !echoed.eq_ignore_ascii_case(asked)
    {
        return None;
    }
    if flags & 0x0200 != 0 {
        return Some(Reply::Cut);
    }
    match flags & 0x000f {
        0 => {}
        // No such name.
        3 => return Some(Reply::Texts(Vec::new())),
        code => return Some(Reply::Failed(u8::try_from(code).ok()?)),
    }
    let mut at = 12 + asked.len();
    let mut texts = Vec::new();
    for _ in 0..word(6)?.min(MAX_RECORDS) {
        at = after_name(answer, at)?;
        let (kind, class, length) = (word(at)?, word(at + 2)?, usize::from(word(at + 8)?));
        let data = answer.get(at + 10..at + 10 + length)?;
        if (kind, class) == (TXT, INTERNET)
            && let Some(text) = text(data)
        {
            texts.push(text);
        }
        at += 10 + length;
    }
    Some(Reply::Texts(texts))
}

/// Where a name ends: at an empty label, or at a pointer to an earlier place, which is not followed.
fn after_name(answer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *answer.get(at)? {
            0 => return Some(at + 1),
            pointer if pointer & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

/// The joined strings of a TXT record; `None` where they are no text.
fn text(mut data: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let (part, rest) = rest.split_at_checked(usize::from(*length))?;
        bytes.extend(part);
        data = rest;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "_atproto.alice.test";

    /// An answer with these records, each with a pointer to the question's name.
    fn answer(id: u16, name: &str, code: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let question = question(id, name).unwrap();
        let mut bytes = Vec::new();
        for word in [id, 0x8180 | code, 1, u16::try_from(records.len()).unwrap(), 0, 0] {
            bytes.extend(u16::to_be_bytes(word));
        }
        bytes.extend(&question[12..question.len() - 11]);
        for (kind, data) in records {
            for word in [0xc00c, *kind, INTERNET, 0, 60, u16::try_from(data.len()).unwrap()] {
                bytes.extend(u16::to_be_bytes(word));
            }
            bytes.extend(*data);
        }
        bytes
    }

    #[test]
    fn texts_are_read_and_other_records_passed_over() {
        let question = question(7, NAME).unwrap();
        let records: [(u16, &[u8]); 3] = [(5, b"\x01a\x00"), (TXT, b"\x04did=\x05did:x"), (TXT, b"\x02\xff\xff")];
        let texts = Reply::Texts(vec!["did=did:x".to_owned()]);
        assert_eq!(read(&answer(7, NAME, 0, &records), &question), Some(texts));
        assert_eq!(read(&answer(7, NAME, 3, &[]), &question), Some(Reply::Texts(Vec::new())));
        assert_eq!(read(&answer(7, NAME, 2, &[]), &question), Some(Reply::Failed(2)));
        let mut cut = answer(7, NAME, 0, &[]);
        cut[2] |= 0x02;
        assert_eq!(read(&cut, &question), Some(Reply::Cut));
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let question = question(7, NAME).unwrap();
        assert_eq!(read(&answer(8, NAME, 0, &[]), &question), None);
        assert_eq!(read(&answer(7, "_atproto.bobby.test", 0, &[]), &question), None);
        assert_eq!(read(&question, &question), None);
        let whole = answer(7, NAME, 0, &[(TXT, b"\x04did=")]);
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end], &question), None, "{end}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let long = "a".repeat(64);
        for wrong in ["", ".", "a..b", &long, &vec!["a".repeat(60); 5].join(".")] {
            assert_eq!(question(1, wrong), None, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn answers_come_by_udp_and_long_ones_by_tcp_and_forged_ones_are_passed_over() {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        let tcp = tokio::net::TcpListener::bind(address).await.unwrap();
        let long = vec![b"\xffx".repeat(100); 3].concat();
        let server = tokio::spawn(async move {
            let mut buffer = [0; 512];
            let (length, peer) = udp.recv_from(&mut buffer).await.unwrap();
            let id = u16::from_be_bytes([buffer[0], buffer[1]]);
            udp.send_to(&answer(id.wrapping_add(1), NAME, 0, &[(TXT, b"\x06forged")]), peer).await.unwrap();
            let mut cut = answer(id, NAME, 0, &[]);
            cut[2] |= 0x02;
            udp.send_to(&cut, peer).await.unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut question).await.unwrap();
            assert_eq!(question, buffer[..length]);
            let whole = answer(id, NAME, 0, &[(TXT, b"\x04true"), (16, &long)]);
            stream.write_all(&u16::try_from(whole.len()).unwrap().to_be_bytes()).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        });
        assert_eq!(TxtResolver::new(Some(address)).txt(NAME).await.unwrap(), ["true"]);
        server.await.unwrap();
    }
}
