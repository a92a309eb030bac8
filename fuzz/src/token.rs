//! Sealed tokens: those that were handed out open, and no others do, whatever becomes of their characters.

use shardstream::clock::Millis;
use shardstream::engine::Limits;
use shardstream::service::ErrorCode;
use shardstream::service::token::Sealer;

use super::given::Given;
use super::world::World;

/// What the target does with its bytes.
pub fn run(bytes: &[u8]) {
    let mut given = Given(bytes);
    let (kind, issued) = (given.byte(), Millis(given.number()));
    let fields = [given.text(20).replace('\n', ""), given.text(20).replace('\n', "")];
    let sealer = Sealer::new(7);
    let token = sealer.seal(kind, issued, &fields.each_ref().map(String::as_str));
    let opened = sealer.open(kind, &token).expect("what was sealed opens");
    assert_eq!((opened.issued, opened.fields.as_slice()), (issued, fields.as_slice()));
    let mut changed = token.clone().into_bytes();
    while !given.is_used_up() {
        let (letter, byte) = (given.byte(), given.byte());
        let place = usize::from(letter);
        let end = changed.len();
        match byte {
            0 => changed.truncate(end.saturating_sub(place % 8)),
            1..8 => changed.push(b'A' + letter % 26),
            _ => {
                if let Some(other) = changed.get_mut(place) {
                    *other = byte;
                }
            }
        }
    }
    let changed = String::from_utf8_lossy(&changed);
    if changed != token {
        assert_eq!(sealer.open(kind, &changed), None, "{token}");
    }
    assert_eq!(sealer.open(kind.wrapping_add(1), &token), None);
    refuse(&String::from_utf8_lossy(bytes));
}

/// Whatever a client makes up is no token of any listing, and no iterator.
fn refuse(text: &str) {
    let world = World::new(Limits::Off);
    for (operation, member) in [
        ("GetRecords", "ShardIterator"),
        ("ListShards", "NextToken"),
        ("ListStreams", "NextToken"),
        ("ListStreamConsumers", "NextToken"),
    ] {
        let mut body = serde_json::json!({member: text});
        if operation == "ListStreamConsumers" {
            body["StreamARN"] = super::world::STREAM_ARN.into();
        }
        let error =
            world.answered(operation, &body.to_string()).expect_err("a token that was made up");
        assert!(
            matches!(error.code, ErrorCode::InvalidArgument | ErrorCode::Validation),
            "{error}"
        );
    }
}
