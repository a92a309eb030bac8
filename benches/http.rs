//! The endpoint under load: prepared requests over kept connections, on the same cores as the server.
//!
//! `cargo bench --profile quick --no-default-features --bench http`: median of rounds for each kind of request, on one
//! connection and on eight. Clients are threads on plain sockets, which read answers by their length and nothing more.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark takes the time, and tells"
)]
#![expect(clippy::cast_precision_loss, reason = "counts of a few seconds fit a float")]

use std::fmt::Write as _;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shardstream::clock::Clock;
use shardstream::engine::Durations;
use shardstream::engine::Engine;
use shardstream::engine::EngineOptions;
use shardstream::engine::Limits;
use shardstream::engine::Mode;
use shardstream::engine::StreamOptions;
use shardstream::server::Server;
use shardstream::server::ServerOptions;
use shardstream::service::Kinesis;
use shardstream::threads::Threads;

const STREAM: &str = "bench";
const ROUND: Duration = Duration::from_millis(1_500);
const ROUNDS: usize = 3;

fn main() {
    // `cargo test` runs benchmarks too, to see that they build.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{:<34} {:>12} {:>14} {:>12}", "requests", "connections", "records/s", "MB/s");
    for (name, records, bytes) in [
        ("PutRecords 500 x 100 B", 500, 100),
        ("PutRecords 500 x 1 KiB", 500, 1_024),
        ("PutRecord 100 B", 1, 100),
    ] {
        let request = if records == 1 { put_record(bytes) } else { put_records(records, bytes) };
        for connections in [1, 8] {
            rated(name, connections, records, bytes, |_| request.clone());
        }
    }
    for connections in [1, 8] {
        rated("GetRecords 10,000 x 100 B", connections, 10_000, 100, get_records);
    }
}

/// Runs rounds of one kind of request and prints their median.
fn rated(
    name: &str,
    connections: usize,
    records: usize,
    bytes: usize,
    request: impl Fn(SocketAddr) -> Vec<u8>,
) {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let server = server();
            let request = request(server.address());
            let address = server.address();
            let began = Instant::now();
            let clients: Vec<_> = (0..connections)
                .map(|_| {
                    let request = request.clone();
                    std::thread::spawn(move || load(address, &request, began + ROUND))
                })
                .collect();
            let requests: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
            (requests * records) as f64 / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates[ROUNDS / 2];
    println!("{name:<34} {connections:>12} {rate:>14.0} {:>12.1}", rate * bytes as f64 / 1e6);
}

/// Sends the same request until a time, and counts answers.
fn load(address: SocketAddr, request: &[u8], until: Instant) -> usize {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    let mut room = vec![0; 1 << 16];
    let mut answered = 0;
    while Instant::now() < until {
        socket.write_all(request).unwrap();
        answer(&mut socket, &mut room);
        answered += 1;
    }
    answered
}

/// Reads one answer to its end, and returns its body's first bytes.
fn answer(socket: &mut TcpStream, room: &mut Vec<u8>) -> usize {
    let mut filled = 0;
    loop {
        let read = socket.read(&mut room[filled..]).unwrap();
        assert!(0 < read, "the server closed the connection");
        filled += read;
        let Some(end) = room[..filled].windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&room[..end]).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut left = end + 4 + length - filled;
        if room.len() < filled + left {
            room.resize(filled + left, 0);
        }
        while 0 < left {
            let read = socket.read(&mut room[filled..filled + left]).unwrap();
            assert!(0 < read, "the server closed the connection");
            (filled, left) = (filled + read, left - read);
        }
        return end + 4;
    }
}

fn request(operation: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: \
         Kinesis_20131202.{operation}\r\nx-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
         Credential=AKID/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0\r\ncontent-length: \
         {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn put_records(records: usize, bytes: usize) -> Vec<u8> {
    let data = STANDARD.encode(vec![b'x'; bytes]);
    let mut body = format!("{{\"StreamName\":\"{STREAM}\",\"Records\":[");
    for record in 0..records {
        let comma = if record == 0 { "" } else { "," };
        let _ = write!(body, "{comma}{{\"Data\":\"{data}\",\"PartitionKey\":\"user-{record}\"}}");
    }
    body.push_str("]}");
    request("PutRecords", &body)
}

fn put_record(bytes: usize) -> Vec<u8> {
    let data = STANDARD.encode(vec![b'x'; bytes]);
    let body =
        format!("{{\"StreamName\":\"{STREAM}\",\"Data\":\"{data}\",\"PartitionKey\":\"user-1\"}}");
    request("PutRecord", &body)
}

/// A request of 10,000 records that were put before.
fn get_records(address: SocketAddr) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).unwrap();
    let mut room = vec![0; 1 << 16];
    for _ in 0..80 {
        socket.write_all(&put_records(500, 100)).unwrap();
        answer(&mut socket, &mut room);
    }
    let body = format!(
        "{{\"StreamName\":\"{STREAM}\",\"ShardId\":\"shardId-000000000000\",\"ShardIteratorType\":\"TRIM_HORIZON\"}}"
    );
    socket.write_all(&request("GetShardIterator", &body)).unwrap();
    let start = answer(&mut socket, &mut room);
    let text = String::from_utf8_lossy(&room[start..]).into_owned();
    let iterator = text.split('"').nth(3).unwrap();
    request("GetRecords", &format!("{{\"ShardIterator\":\"{iterator}\"}}"))
}

fn server() -> Server {
    let engine = Engine::new(EngineOptions {
        clock: Clock::System,
        limits: Limits::Off,
        region: "us-east-1".to_owned(),
        account_id: "000000000000".to_owned(),
        seed: 0,
        threads: Threads::new(None).unwrap(),
        durations: Durations::default(),
        shard_limit: None,
    });
    let options = StreamOptions {
        shard_count: 4,
        retention_ms: 86_400_000,
        mode: Mode::Provisioned,
        record_bytes_max: 1 << 20,
        tags: std::collections::BTreeMap::new(),
        distribution: shardstream::engine::Distribution::ByKey,
        warm_throughput: None,
    };
    engine.create_stream(engine.now(), STREAM, options).unwrap();
    let kinesis = Arc::new(Kinesis::new(Arc::new(engine)));
    let options = ServerOptions {
        host: [127, 0, 0, 1].into(),
        port: 0,
        tls: None,
        credentials: None,
        insecure: false,
    };
    Server::start(kinesis, options).unwrap()
}
