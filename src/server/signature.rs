//! Signatures of requests (Signature Version 4): who calls and where, and whether it is true.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::header::DATE;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;
use sha2::Digest;
use sha2::Sha256;

use crate::clock::Millis;
use crate::server::credentials::Credentials;
use crate::server::protocol::Head;
use crate::service::Caller;
use crate::service::ErrorCode;
use crate::service::ServiceError;

/// How far a client's clock may be off.
const SKEW_MS: i64 = 300_000;
/// The one way to sign.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What the scope of a credential ends with.
const TERM: &str = "aws4_request";
/// What stands unescaped in a canonical request.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ESCAPED_IN_PATHS: &AsciiSet = &ESCAPED.remove(b'/');

/// What a signature says.
#[derive(Debug)]
struct Signed {
    algorithm: String,
    access_key: String,
    day: String,
    region: String,
    service: String,
    headers: Vec<String>,
    signature: String,
    /// When it was signed, as it says.
    time: String,
    /// What its scope ends with.
    term: String,
}

/// Answers who calls, and refuses signatures that are missing, incomplete or, where credentials are known, not true.
pub(super) fn caller(
    credentials: Option<&Credentials>,
    head: &Head,
    body: &Bytes,
    home: &Caller,
    now: Millis,
) -> Result<Caller, ServiceError> {
    let signed = signed(head)?;
    if let Some(credentials) = credentials {
        verify(credentials, &signed, head, body, now)?;
    }
    // Whoever wants another account says so by its number as the access key.
    let is_account =
        signed.access_key.len() == 12 && signed.access_key.bytes().all(|b| b.is_ascii_digit());
    let account = if is_account { signed.access_key } else { home.account.clone() };
    let region = if is_region(&signed.region) { signed.region } else { home.region.clone() };
    Ok(Caller { account, region })
}

fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn incomplete(words: String) -> ServiceError {
    ServiceError::new(ErrorCode::IncompleteSignature, words)
}

/// Reads the signature of a request.
fn signed(head: &Head) -> Result<Signed, ServiceError> {
    let query = query(head);
    let is_in_query = query.iter().any(|(name, _)| name == "X-Amz-Algorithm");
    match (head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()), is_in_query) {
        (Some(_), true) => Err(ServiceError::new(
            ErrorCode::InvalidSignature,
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
        )),
        (None, false) => Err(ServiceError::new(
            ErrorCode::MissingAuthenticationToken,
            "Missing Authentication Token",
        )),
        (Some(header), false) => of_header(header, &head.headers),
        (None, true) => of_query(&query.into_iter().collect()),
    }
}

fn of_header(header: &str, headers: &HeaderMap) -> Result<Signed, ServiceError> {
    let parts = header.split([',', ' ']).skip(1).filter_map(|part| part.trim().split_once('='));
    let parts: BTreeMap<&str, &str> = parts.collect();
    let mut missing = String::new();
    for name in ["Credential", "Signature", "SignedHeaders"] {
        if parts.get(name).is_none_or(|value| value.is_empty()) {
            let _ = write!(missing, "Authorization header requires '{name}' parameter. ");
        }
    }
    let time = ["x-amz-date", DATE.as_str()].into_iter().find_map(|name| headers.get(name));
    if time.is_none() {
        missing.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    if !missing.is_empty() {
        let _ = write!(missing, "Authorization={header}");
        return Err(incomplete(missing));
    }
    let part = |name: &str| parts.get(name).copied().unwrap_or_default();
    let time = time.and_then(|time| time.to_str().ok()).unwrap_or_default();
    let algorithm = header.split([',', ' ']).next().unwrap_or_default();
    scoped(algorithm, part("Credential"), part("SignedHeaders"), part("Signature"), time)
}

fn of_query(query: &BTreeMap<String, String>) -> Result<Signed, ServiceError> {
    let mut missing = String::new();
    for name in [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
    ] {
        if query.get(name).is_none_or(String::is_empty) {
            let _ = write!(missing, "AWS query-string parameters must include '{name}'. ");
        }
    }
    if !missing.is_empty() {
        missing.push_str("Re-examine the query-string parameters.");
        return Err(incomplete(missing));
    }
    let part = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    scoped(
        part("X-Amz-Algorithm"),
        part("X-Amz-Credential"),
        part("X-Amz-SignedHeaders"),
        part("X-Amz-Signature"),
        part("X-Amz-Date"),
    )
}

/// Takes the scope of a credential apart: key, day, region, service and `aws4_request`.
fn scoped(
    algorithm: &str,
    credential: &str,
    headers: &str,
    signature: &str,
    time: &str,
) -> Result<Signed, ServiceError> {
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key, day, region, service, term] = scope.as_slice() else {
        return Err(incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             '{credential}'"
        )));
    };
    Ok(Signed {
        algorithm: algorithm.to_owned(),
        access_key: (*access_key).to_owned(),
        day: (*day).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        headers: headers.split(';').map(str::to_lowercase).collect(),
        signature: signature.to_owned(),
        time: time.to_owned(),
        term: (*term).to_owned(),
    })
}

fn verify(
    credentials: &Credentials,
    signed: &Signed,
    head: &Head,
    body: &Bytes,
    now: Millis,
) -> Result<(), ServiceError> {
    let invalid = |words: String| Err(ServiceError::new(ErrorCode::InvalidSignature, words));
    if signed.algorithm != ALGORITHM {
        return Err(incomplete(format!("Unsupported AWS 'algorithm': '{}'.", signed.algorithm)));
    }
    let Some(secret) = credentials.secret(&signed.access_key) else {
        return Err(ServiceError::new(
            ErrorCode::UnrecognizedClient,
            "The security token included in the request is invalid.",
        ));
    };
    let Some(time) = time(&signed.time) else {
        return invalid(format!("Date must be in ISO-8601 'basic format'. Got '{}'.", signed.time));
    };
    if SKEW_MS < now.since(time).saturating_abs() {
        let (is, to, sign) = if time < now {
            ("expired", "now earlier than", -1)
        } else {
            ("not yet current", "still later than", 1)
        };
        return invalid(format!(
            "Signature {is}: {} is {to} {} ({} {} 5 min.)",
            signed.time,
            basic(now.plus(sign * SKEW_MS)),
            basic(now),
            if sign < 0 { '-' } else { '+' },
        ));
    }
    if !signed.time.starts_with(&signed.day) {
        return invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}'.",
            signed.day, signed.time
        ));
    }
    if signed.service != "kinesis" {
        return invalid(format!(
            "Credential should be scoped to correct service: 'kinesis', not '{}'.",
            signed.service
        ));
    }
    if signed.term != TERM {
        return invalid(format!(
            "Credential should be scoped with a valid terminator: '{TERM}', not '{}'.",
            signed.term
        ));
    }
    if !signed.headers.iter().any(|name| name == "host") {
        return invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.".to_owned());
    }
    let expected = mac(secret, signed, &string_to_sign(signed, head, body));
    if expected.verify_slice(&from_hex(&signed.signature).unwrap_or_default()).is_err() {
        return invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
        );
    }
    Ok(())
}

/// Writes `20260101T000000Z`.
fn basic(time: Millis) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => time.strftime("%Y%m%dT%H%M%SZ").to_string(),
        Err(_) => time.to_string(),
    }
}

/// Reads `20260101T000000Z`.
fn time(text: &str) -> Option<Millis> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let time = jiff::tz::Offset::UTC.to_timestamp(time).ok()?;
    Some(Millis(time.as_millisecond()))
}

fn mac(secret: &str, signed: &Signed, text: &str) -> Hmac<Sha256> {
    let keyed =
        |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("keys of any length will do");
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [&signed.day, &signed.region, &signed.service, TERM] {
        let mut mac = keyed(&key);
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    let mut mac = keyed(&key);
    mac.update(text.as_bytes());
    mac
}

fn string_to_sign(signed: &Signed, head: &Head, body: &Bytes) -> String {
    let Signed { day, region, service, time, .. } = signed;
    let request = hex(&Sha256::digest(canonical_request(signed, head, body)));
    format!("{ALGORITHM}\n{time}\n{day}/{region}/{service}/{TERM}\n{request}")
}

fn canonical_request(signed: &Signed, head: &Head, body: &Bytes) -> String {
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let path = utf8_percent_encode(&path, ESCAPED_IN_PATHS).to_string();
    let escaped = |text: String| utf8_percent_encode(&text, ESCAPED).to_string();
    let mut query: Vec<(String, String)> = query(head)
        .into_iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (escaped(name), escaped(value)))
        .collect();
    // By name and then by value: `=` would come after the digits of a longer name.
    query.sort_unstable();
    let query: Vec<String> =
        query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut text = format!("{}\n{path}\n{}\n", head.method, query.join("&"));
    for name in &signed.headers {
        let values = head.headers.get_all(name.as_str()).iter();
        let values = values.map(|value| value.to_str().unwrap_or_default());
        let mut values: Vec<String> =
            values.map(|value| value.split_whitespace().collect::<Vec<&str>>().join(" ")).collect();
        // HTTP/2 carries the host apart from the headers.
        if values.is_empty() && name == "host" {
            values.extend(head.uri.authority().map(ToString::to_string));
        }
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    let body = hex(&Sha256::digest(body));
    let _ = write!(text, "\n{}\n{body}", signed.headers.join(";"));
    text
}

fn query(head: &Head) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_plain || !text.len().is_multiple_of(2) {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::Method;
    use http::Uri;
    use proptest::prelude::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const NOW: Millis = Millis(1_440_938_160_000);

    fn head(uri: &str, headers: &[(&'static str, &str)]) -> Head {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Head { method: Method::GET, uri: uri.parse::<Uri>().unwrap(), headers: map }
    }

    fn authorization(service: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        )
    }

    fn example(uri: &str, service: &str, signature: &str) -> Head {
        let authorization = authorization(service, signature);
        let headers = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization.as_str()),
        ];
        head(uri, &headers)
    }

    /// The example, its authorization changed in one place.
    fn changed(signature: &str, from: &str, to: &str) -> Head {
        let authorization = authorization("kinesis", signature).replace(from, to);
        let headers = [
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
            ("authorization", authorization.as_str()),
        ];
        head("/", &headers)
    }

    fn signature_of(head: &Head) -> String {
        let signed = signed(head).unwrap();
        let mac = mac(SECRET, &signed, &string_to_sign(&signed, head, &Bytes::new()));
        hex(&mac.finalize().into_bytes())
    }

    #[test]
    fn examples_that_were_published_are_signed_as_published() {
        for (uri, signature) in [
            ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            assert_eq!(signature_of(&example(uri, "service", signature)), signature, "{uri}");
        }
    }

    #[test]
    fn signatures_hold_for_five_minutes_either_way_and_for_their_request_alone() {
        let credentials = Credentials::new([("AKIDEXAMPLE".to_owned(), SECRET.to_owned())]);
        let home = Caller { account: "123456789012".to_owned(), region: "eu-west-1".to_owned() };
        let good = signature_of(&example("/", "kinesis", "00"));
        let ask =
            |head: &Head, now: Millis| caller(Some(&credentials), head, &Bytes::new(), &home, now);
        let signed = example("/", "kinesis", &good);
        for skew in [-300_000, 0, 300_000] {
            let called = ask(&signed, NOW.plus(skew)).unwrap();
            assert_eq!(
                (called.account, called.region.as_str()),
                (home.account.clone(), "us-east-1")
            );
        }
        for (head, now) in [
            (&signed, NOW.plus(300_001)),
            (&signed, NOW.plus(-300_001)),
            (&example("/?a=b", "kinesis", &good), NOW),
            (&example("/", "kinesis", &good.replace(&good[..1], "g")), NOW),
            (&example("/", "kinesis", &good[..62]), NOW),
            (&example("/", "firehose", &good), NOW),
            (&changed(&good, TERM, "aws4"), NOW),
        ] {
            assert_eq!(ask(head, now).unwrap_err().code, ErrorCode::InvalidSignature);
        }
        let refused = ask(&changed(&good, ALGORITHM, "AWS4-HMAC-SHA1"), NOW).unwrap_err();
        assert_eq!(
            refused,
            incomplete("Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.".to_owned())
        );
    }

    #[test]
    fn queries_are_signed_in_order_of_their_names_and_values() {
        let head = example("/?a1=x&a=z&a%2F=w&a=y", "kinesis", "00");
        let text = canonical_request(&signed(&head).unwrap(), &head, &Bytes::new());
        assert_eq!(text.lines().nth(2), Some("a=y&a=z&a%2F=w&a1=x"));
    }

    #[test]
    fn signatures_in_queries_are_of_the_body_too() {
        let credentials = Credentials::new([("AKIDEXAMPLE".to_owned(), SECRET.to_owned())]);
        let home = Caller { account: "1".to_owned(), region: "r".to_owned() };
        let asked = |signature: &str| {
            let credential = "AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fkinesis%2Faws4_request";
            let uri = format!(
                "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20150830T123600Z\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature={signature}"
            );
            head(&uri, &[("host", "example.amazonaws.com")])
        };
        let body = Bytes::from_static(b"{}");
        let unsigned = asked("00");
        let told = signed(&unsigned).unwrap();
        let mac = mac(SECRET, &told, &string_to_sign(&told, &unsigned, &body));
        let head = asked(&hex(&mac.finalize().into_bytes()));
        assert!(caller(Some(&credentials), &head, &body, &home, NOW).is_ok());
        let other = Bytes::from_static(b"{\"Limit\":1}");
        let refused = caller(Some(&credentials), &head, &other, &home, NOW).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidSignature);
    }

    #[test]
    fn signatures_are_digits_of_base_16_and_nothing_else() {
        assert_eq!(from_hex("0aFf"), Some(vec![0x0a, 0xff]));
        for text in ["+a", "-0", "0", "0a0", "0g", " a", "\u{e9}"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_understood_or_refused(
            authorization in "[ -~]{0,200}",
            scoped in "AWS4-HMAC-SHA256 Credential=[a-z/]{0,40}, SignedHeaders=[a-z;]{0,20}, Signature=[0-9a-z+]{0,70}",
            time in "[0-9TZ]{0,20}",
        ) {
            let credentials = Credentials::new([("a".to_owned(), SECRET.to_owned())]);
            let home = Caller { account: "1".to_owned(), region: "r".to_owned() };
            for text in [authorization, scoped] {
                let head = head("/", &[("x-amz-date", time.as_str()), ("authorization", text.as_str())]);
                prop_assert!(caller(Some(&credentials), &head, &Bytes::new(), &home, NOW).is_err());
            }
        }
    }
}
