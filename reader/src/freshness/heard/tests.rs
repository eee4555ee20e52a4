use super::*;

const TICK: Duration = Duration::from_millis(250);

fn epoch() -> Epoch {
    "abcdefgh2345".parse().unwrap()
}

fn token(position: u64) -> Token {
    Token { epoch: epoch(), position: Position(position) }
}

fn said(position: u64, head: u64, state: State) -> Progress {
    Progress {
        epoch: epoch(),
        position: Position(position),
        previous: Position(position),
        head: Position(head),
        head_age_ms: 0,
        state,
        why: String::new(),
        mend: String::new(),
        generation: "live".into(),
        version: 1,
        events_version: contract::EVENTS_VERSION,
        import: None,
        refuses_stream: false,
        exceptions: None,
    }
}

fn begin() -> (Heard, Instant) {
    let now = Instant::now();
    let mut heard = Heard::new("a", now);
    heard.listening_since(now);
    (heard, now)
}

/// Both replicas speak for a while, the own one until so many ticks ago.
fn after(ticks: u32, own_silent: u32, own: State, other: State) -> (Heard, Instant) {
    let (mut heard, start) = begin();
    for tick in 0..=ticks {
        let now = start + tick * TICK;
        if tick + own_silent <= ticks {
            heard.hear("a", &said(10, 10, own), now);
        }
        heard.hear("b", &said(10, 10, other), now);
    }
    (heard, start + ticks * TICK)
}

#[test]
fn a_silent_replica_steps_out_while_another_serves() {
    for (silent, out) in [(0, None), (4, None), (5, Some(Fault::Silent)), (40, Some(Fault::Silent))] {
        let (heard, now) = after(40, silent, State::Serving, State::Serving);
        assert_eq!(heard.steps_out(now), out, "{silent} ticks");
    }
    for other in [State::Joining, State::CatchingUp, State::Stopped, State::Importing] {
        let (heard, now) = after(40, 40, State::Serving, other);
        assert_eq!(heard.steps_out(now), None, "the other is {other:?}");
    }
}

#[test]
fn whoever_hears_nobody_serves() {
    let (heard, start) = begin();
    assert_eq!(heard.steps_out(start + 40 * TICK), None);
    let (heard, now) = after(40, 0, State::Serving, State::Serving);
    assert_eq!(heard.steps_out(now + 40 * TICK), None);
    assert!(heard.hears(now + DEAF) && !heard.hears(now + DEAF + TICK));
}

#[test]
fn silence_means_nothing_while_nobody_listens() {
    // The own replica's last word came a moment before the other's, and then the stream went away.
    let (mut heard, now) = after(40, 1, State::Serving, State::Serving);
    let between = now + 4 * TICK - TICK / 2;
    assert_eq!(heard.steps_out(between), Some(Fault::Silent));
    heard.listening_ended();
    assert_eq!(heard.steps_out(between), None);
    heard.listening_since(between);
    assert_eq!(heard.steps_out(between), None);
}

#[test]
fn silence_counts_from_when_listening_began() {
    let (mut heard, start) = begin();
    let connected = start + 100 * TICK;
    heard.listening_since(connected);
    heard.hear("b", &said(10, 10, State::Serving), connected);
    assert_eq!(heard.steps_out(connected), None, "the own replica had no time to speak");
    heard.hear("b", &said(10, 10, State::Serving), connected + 5 * TICK);
    assert_eq!(heard.steps_out(connected + 5 * TICK), Some(Fault::Silent));
}

#[test]
fn a_replica_that_does_not_serve_steps_out_and_all_of_them_never() {
    for state in [State::Importing, State::CatchingUp, State::Joining, State::Stopped] {
        let (heard, now) = after(4, 0, state, State::Serving);
        assert_eq!(heard.steps_out(now), Some(Fault::In(state)));
        let (heard, now) = after(4, 0, state, state);
        assert_eq!(heard.steps_out(now), None);
    }
    let (heard, now) = after(4, 0, State::Rebuilding, State::Serving);
    assert_eq!(heard.steps_out(now), None, "it serves what it has");
}

#[test]
fn a_replica_that_is_five_seconds_behind_steps_out_while_another_is_not() {
    let (mut heard, start) = begin();
    let mut out = Vec::new();
    for tick in 0..=24 {
        let now = start + tick * TICK;
        let head = 10 + u64::from(tick);
        heard.hear("a", &said(10, head, State::Serving), now);
        heard.hear("b", &said(head, head, State::Serving), now);
        out.push(heard.steps_out(now));
    }
    assert!(out[..=20].iter().all(Option::is_none), "{out:?}");
    assert!(out[21..].iter().all(|out| *out == Some(Fault::Behind)), "{out:?}");
    // The other falls behind as well.
    for tick in 25..=60 {
        let now = start + tick * TICK;
        let head = 10 + u64::from(tick);
        heard.hear("a", &said(10, head, State::Serving), now);
        heard.hear("b", &said(34, head, State::Serving), now);
    }
    assert_eq!(heard.steps_out(start + 60 * TICK), None);
}

#[test]
fn data_ages_while_nobody_says_where_the_head_is() {
    let (mut heard, now) = after(8, 0, State::Serving, State::Serving);
    assert_eq!(heard.see(&token(10), now), now);
    assert_eq!(heard.see(&token(10), now + 40 * TICK), now, "nothing was heard since");
    // The other replica knows more than the own one has.
    heard.hear("b", &said(11, 11, State::Serving), now + TICK);
    assert_eq!(heard.see(&token(10), now + 2 * TICK), now);
    assert_eq!(heard.see(&token(11), now + 2 * TICK), now + TICK);
}

#[test]
fn a_head_is_as_old_as_the_stream_s_word_for_it() {
    let (mut heard, now) = begin();
    let now = now + 40 * TICK;
    heard.hear("a", &Progress { head_age_ms: 400, ..said(10, 10, State::Serving) }, now);
    assert_eq!(heard.see(&token(10), now), now - Duration::from_millis(400));
}

#[test]
fn a_replica_that_stopped_at_the_head_of_a_stream_that_is_not_its_own_does_not_stay_young() {
    let (mut heard, now) = after(8, 0, State::Serving, State::Stopped);
    heard.hear("a", &said(10, 10, State::Stopped), now + 4 * TICK);
    assert_eq!(heard.see(&token(10), now + 4 * TICK), now);
}

#[test]
fn a_crash_that_took_the_replica_back_is_noticed() {
    let (mut heard, now) = after(4, 0, State::Serving, State::Serving);
    heard.see(&token(12), now);
    heard.hear("a", &said(7, 12, State::Joining), now);
    assert_eq!((heard.position(), heard.floor()), (Position(7), Some(token(12))));
    assert_eq!(heard.missing(&[token(9)]), Some(Position(9)));
    heard.hear("a", &said(12, 12, State::Serving), now);
    assert_eq!(heard.missing(&[token(9)]), None);
}

#[test]
fn only_what_the_replica_can_reach_is_waited_for() {
    let (heard, _) = after(4, 0, State::Serving, State::Serving);
    let elsewhere = Token { epoch: "bcdefgh23456".parse().unwrap(), position: Position(99) };
    assert_eq!(heard.missing(&[]), None);
    assert_eq!(heard.missing(&[token(10), elsewhere.clone()]), None);
    assert_eq!(heard.missing(&[token(11), elsewhere, token(10)]), Some(Position(11)));
}

#[test]
fn another_epoch_begins_anew() {
    let (mut heard, now) = after(4, 0, State::Serving, State::Serving);
    let next = Token { epoch: "bcdefgh23456".parse().unwrap(), position: Position(3) };
    heard.see(&next, now);
    assert_eq!(heard.floor(), Some(token(10)), "what the replica says of itself counts while it speaks");
    heard.see(&next, now + 40 * TICK);
    assert_eq!(heard.floor(), Some(next));
}
