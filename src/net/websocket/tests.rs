//! Against servers that keep to the protocol and servers that do not.

use std::convert::Infallible;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;

/// Serves one connection; its socket, once a client has opened it.
async fn serve_one(options: Options) -> (Endpoint, oneshot::Receiver<Socket>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (opened, socket) = oneshot::channel();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let (accepted, upgraded) = oneshot::channel();
        let hand_over = std::sync::Mutex::new(Some(accepted));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let (response, upgrade) = accept(&mut request, options).unwrap();
            hand_over.lock().unwrap().take().unwrap().send(upgrade).unwrap();
            std::future::ready(Ok::<_, Infallible>(response))
        });
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service).with_upgrades().await.unwrap();
        let _ = opened.send(upgraded.await.unwrap().socket().await.unwrap());
    });
    (endpoint, socket)
}

async fn pair(client: Options, server: Options) -> (Socket, Socket) {
    let (endpoint, socket) = serve_one(server).await;
    let client = Socket::connect(&endpoint, "/stream?cursor=1", Reach::Any, client).await.unwrap();
    (client, socket.await.unwrap())
}

/// A client over a raw stream on which a test writes frames by hand.
fn raw(options: Options) -> (Socket, tokio::io::DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (read, write) = tokio::io::split(ours);
    (Socket::start(read, write, Role::Client, options), theirs)
}

fn header(first: u8, len: usize) -> Vec<u8> {
    let mut header = vec![first, 127];
    header.extend(u64::try_from(len).unwrap().to_be_bytes());
    header
}

#[tokio::test]
async fn messages_pass_both_ways_and_a_close_says_why() {
    let (mut client, mut server) = pair(Options::default(), Options::default()).await;
    server.send(Bytes::from(vec![7; 100_000])).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap().bytes, vec![7; 100_000]);
    client.send(Bytes::from_static(b"back")).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap().bytes, "back");
    server.close(1008, "enough").await;
    let end = client.next().await.unwrap().unwrap_err();
    assert!(matches!(&end, SocketError::Closed { code: 1008, reason } if reason == "enough"), "{end}");
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn it_pings_and_answers_pings() {
    let (_socket, mut peer) = raw(Options { ping_every: Duration::from_millis(20), ..Options::default() });
    peer.write_all(&[0x89, 2, b'h', b'i']).await.unwrap();
    let mut answer = [0; 8];
    peer.read_exact(&mut answer).await.unwrap();
    let [0x8a, 0x82, m1, m2, _, _, p1, p2] = answer else { panic!("no masked pong: {answer:x?}") };
    assert_eq!([p1 ^ m1, p2 ^ m2], *b"hi");
    let mut ping = [0; 2];
    peer.read_exact(&mut ping).await.unwrap();
    assert_eq!(ping, [0x89, 0x80]);
}

#[tokio::test]
async fn fragments_become_one_message_with_pings_in_between() {
    let (mut socket, mut peer) = raw(Options::default());
    for (first, payload) in [(0x02_u8, &b"one "[..]), (0x89, b"ping"), (0x00, b"two "), (0x80, b"three")] {
        peer.write_all(&header(first, payload.len())).await.unwrap();
        peer.write_all(payload).await.unwrap();
    }
    assert_eq!(socket.next().await.unwrap().unwrap().bytes, "one two three");
}

#[tokio::test]
async fn fragments_without_end_are_cut_off_at_the_limit() {
    let (mut socket, mut peer) = raw(Options { max_message: 1000, ..Options::default() });
    for round in 0..11_u8 {
        peer.write_all(&header(if round == 0 { 0x02 } else { 0x00 }, 100)).await.unwrap();
        peer.write_all(&[round; 100]).await.unwrap();
    }
    assert!(matches!(socket.next().await.unwrap(), Err(SocketError::TooLarge(1000))));
}

#[tokio::test]
async fn a_message_of_the_limit_passes_and_one_byte_more_does_not() {
    for (len, passes) in [(1000, true), (1001, false)] {
        let (mut socket, mut peer) = raw(Options { max_message: 1000, ..Options::default() });
        peer.write_all(&header(0x82, len)).await.unwrap();
        peer.write_all(&vec![1; len]).await.unwrap();
        assert_eq!(socket.next().await.unwrap().is_ok(), passes, "{len}");
    }
}

#[tokio::test]
async fn frames_out_of_order_end_the_socket() {
    for (first, then) in [(0x80_u8, None), (0x02, Some(0x82_u8)), (0xc2, None), (0x83, None)] {
        let (mut socket, mut peer) = raw(Options::default());
        for byte in std::iter::once(first).chain(then) {
            peer.write_all(&header(byte, 0)).await.unwrap();
        }
        assert!(matches!(socket.next().await.unwrap(), Err(SocketError::Broken(_))), "{first:x} {then:?}");
    }
}

#[tokio::test]
async fn what_nobody_takes_blocks_the_sender() {
    let small = Options { queue_bytes: 1 << 20, ..Options::default() };
    let (mut client, server) = pair(small, Options::default()).await;
    let message = Bytes::from(vec![1; 1 << 19]);
    let mut sent = 0;
    while timeout(Duration::from_millis(500), server.send(message.clone())).await.is_ok() {
        sent += 1;
        assert!(sent < 200, "100 MiB were taken in though nobody reads");
    }
    let taken = client.next().await.unwrap().unwrap();
    assert_eq!(taken.bytes.len(), 1 << 19);
    drop(taken);
    for _ in 1..sent {
        client.next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_status_and_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = tcp.read(&mut request).await.unwrap();
        tcp.write_all(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 9\r\n\r\nslow down").await.unwrap();
        tcp.shutdown().await.unwrap();
    });
    let error = Socket::connect(&endpoint, "/stream", Reach::Any, Options::default()).await.unwrap_err().to_string();
    assert!(error.contains("429") && error.contains("slow down") && error.contains("/stream"), "{error}");
}

#[tokio::test]
async fn a_peer_that_never_answers_the_upgrade_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    let options = Options { handshake_timeout: Duration::from_millis(100), ..Options::default() };
    let error = Socket::connect(&endpoint, "/", Reach::Any, options).await.unwrap_err();
    assert!(matches!(error, SocketError::Handshake { source: HandshakeError::Timeout, .. }), "{error}");
}
