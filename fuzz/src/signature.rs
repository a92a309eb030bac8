//! Signatures by AWS's own signer: those are taken, and not after any byte of what they cover was changed.

use std::fmt::Write;
use std::time::Duration;
use std::time::SystemTime;

use aws_credential_types::Credentials as Signer;
use aws_sigv4::http_request::SignableBody;
use aws_sigv4::http_request::SignableRequest;
use aws_sigv4::http_request::SignatureLocation;
use aws_sigv4::http_request::SigningSettings;
use aws_sigv4::http_request::sign;
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_encode;
use shardstream::engine::Limits;
use shardstream::server::Credentials;
use shardstream::server::memory::converse;

use super::given::Given;
use super::world::World;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "kinesis.eu-west-1.amazonaws.com";

/// A request, before it is signed or after.
#[derive(Clone, Debug)]
struct Asked {
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let mut given = Given(bytes);
    let world = World::new(Limits::Off);
    let is_in_query = given.byte() % 4 == 0;
    let skew_ms = given.number().clamp(-400_000, 400_000);
    let mut asked = Asked { query: Vec::new(), headers: Vec::new(), body: b"{}".to_vec() };
    for _ in 0..given.byte() % 4 {
        // Text alone: AWS's signer makes one character of all that is none.
        let (name, value) = (given.text(8), given.text(8));
        asked.query.push((format!("q{}", escaped(name.as_bytes())), escaped(value.as_bytes())));
    }
    asked.headers.push(("host".to_owned(), HOST.to_owned()));
    asked.headers.push(("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()));
    asked.headers.push(("x-amz-target".to_owned(), "Kinesis_20131202.ListStreams".to_owned()));
    for place in 0..given.byte() % 4 {
        asked.headers.push((format!("x-amz-meta-{place}"), visible(given.bytes(20))));
    }
    let (place, flip) = (usize::from(given.byte()), given.byte());
    // Signatures are judged by the machine's clock, which goes on meanwhile.
    if skew_ms.unsigned_abs().abs_diff(300_000) < 10_000 {
        return;
    }
    let skew = Duration::from_millis(skew_ms.unsigned_abs());
    let now = SystemTime::now();
    let signed = signed(&asked, if skew_ms < 0 { now - skew } else { now + skew }, is_in_query);
    let is_due = skew_ms.unsigned_abs() < 300_000;
    assert_eq!(is_taken(&world, &signed), is_due, "{signed:?}");
    let mut changed = signed.clone();
    change(&mut changed, place, flip);
    if is_due && !means_the_same(&changed, &signed) {
        assert!(!is_taken(&world, &changed), "{changed:?} as {signed:?}");
    }
}

fn signed(asked: &Asked, time: SystemTime, is_in_query: bool) -> Asked {
    let mut settings = SigningSettings::default();
    if is_in_query {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(300));
    }
    let identity = Identity::from(Signer::new(KEY, SECRET, None, None, "given"));
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("kinesis")
        .time(time)
        .settings(settings)
        .build()
        .expect("all of them are there")
        .into();
    let headers = asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let uri = format!("https://{HOST}{}", path(&asked.query));
    let request = SignableRequest::new("POST", &uri, headers, SignableBody::Bytes(&asked.body));
    let instructions = sign(request.expect("a request"), &params).expect("a signature");
    let (headers, query) = instructions.into_parts().0.into_parts();
    let mut signed = asked.clone();
    for header in headers {
        signed.headers.push((header.name().to_owned(), header.value().to_owned()));
    }
    for (name, value) in query {
        signed.query.push((escaped(name.as_bytes()), escaped(value.as_bytes())));
    }
    signed
}

/// Changes one byte of a value or of the body.
fn change(asked: &mut Asked, place: usize, flip: u8) {
    let mut values: Vec<&mut String> =
        asked.headers.iter_mut().skip(3).map(|(_, value)| value).collect();
    values.extend(asked.query.iter_mut().map(|(_, value)| value));
    let lengths = values.iter().map(|value| value.len());
    let all: usize = lengths.sum();
    // One step behind the last of them is the body.
    let mut place = place * 7 % (all + 1);
    if place == all {
        asked.body = b"{ }".to_vec();
        return;
    }
    for value in values {
        if value.len() <= place {
            place -= value.len();
            continue;
        }
        let mut bytes = std::mem::take(value).into_bytes();
        let other = b'!' + flip % 94;
        bytes[place] = if b"%&# ".contains(&other) { b'0' } else { other };
        *value = String::from_utf8(bytes).unwrap_or_default();
        return;
    }
}

/// Parts of an authorization are apart by commas or blanks; a digit of base 16 may be of either case.
fn means_the_same(one: &Asked, other: &Asked) -> bool {
    let plain = |asked: &Asked| {
        let text = format!("{asked:?}").to_lowercase().replace(',', " ");
        text.split_whitespace().collect::<Vec<&str>>().join(" ")
    };
    plain(one) == plain(other)
}

fn is_taken(world: &World, asked: &Asked) -> bool {
    let mut sent = format!("POST {} HTTP/1.1\r\n", path(&asked.query));
    for (name, value) in &asked.headers {
        let _ = write!(sent, "{name}: {value}\r\n");
    }
    let _ = write!(sent, "content-length: {}\r\n\r\n", asked.body.len());
    let mut sent = sent.into_bytes();
    sent.extend_from_slice(&asked.body);
    let credentials = Credentials::new([(KEY.to_owned(), SECRET.to_owned())]);
    let count = sent.len();
    let answered = converse(world.kinesis.clone(), Some(credentials), Bytes::from(sent), count);
    let text = String::from_utf8_lossy(&answered).into_owned();
    assert!(text.starts_with("HTTP/1.1 200") || text.starts_with("HTTP/1.1 400"), "{text}");
    text.starts_with("HTTP/1.1 200")
}

fn path(query: &[(String, String)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if pairs.is_empty() { "/".to_owned() } else { format!("/?{}", pairs.join("&")) }
}

fn escaped(bytes: &[u8]) -> String {
    percent_encode(bytes, NON_ALPHANUMERIC).to_string()
}

/// Bytes as a header's value may hold them.
fn visible(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(b' ' + byte % 95)).collect();
    text.trim().to_owned()
}
