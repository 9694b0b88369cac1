//! Letters for reading: decoded, masked unless they may be seen, and safe to look at.

use serde::Serialize;

use super::{Desk, Letter, State};
use crate::control_center::decoding::{Decoder, Failure, Line, shown_text};
use crate::control_center::kafka::{Message, on_its_own_thread};
use crate::control_center::moment::Moment;
use crate::control_center::panel::{Panel, Trouble};
use crate::error::Result;

/// A letter in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub letter: Letter,
    pub error: String,
    pub record: Line,
    /// Nothing while PostgreSQL does not tell.
    #[serde(flatten)]
    pub state: Option<State>,
}

/// One letter.
#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    pub letter: Letter,
    pub written: Moment,
    /// The time of its record.
    pub at: Option<Moment>,
    pub error: String,
    pub key: Option<String>,
    pub headers: Vec<(String, String)>,
    pub format: String,
    pub text: String,
    pub is_cut: bool,
    pub failures: Vec<Failure>,
    /// The id of the user that today's code reads.
    pub passes: Option<String>,
    pub fails: Option<String>,
    pub state: Panel<State>,
}

impl Desk<'_> {
    /// Also without PostgreSQL: then it comes back why the states are not told.
    pub(in crate::control_center) async fn rows(
        &self,
        found: Vec<(Letter, Message)>,
        reveal: bool,
    ) -> (Vec<Row>, Option<Trouble>) {
        let mut decoder = Decoder::with(self.registry.clone(), reveal);
        let (letters, messages): (Vec<Letter>, Vec<Message>) = found.into_iter().unzip();
        decoder.learn(&messages).await;
        let lines = move || -> Result<Vec<Line>> {
            Ok(messages.iter().map(|it| decoder.line(it)).collect())
        };
        let lines = match on_its_own_thread(lines).await {
            Ok(lines) => lines,
            Err(error) => return (Vec::new(), Some(Trouble::from(&error))),
        };
        let states = match letters.is_empty() {
            true => Ok(Vec::new()),
            false => self.states_of(&letters.iter().collect::<Vec<_>>()).await,
        };
        let (states, trouble) = match states {
            Ok(states) => (states, None),
            Err(error) => (Vec::new(), Some(Trouble::from(&error))),
        };
        let mut states = states.into_iter();
        let row = |(letter, record): (Letter, Line)| Row {
            error: letter.error(),
            record,
            letter,
            state: states.next(),
        };
        (letters.into_iter().zip(lines).map(row).collect(), trouble)
    }

    pub(in crate::control_center) async fn whole(
        &self,
        partition: i32,
        offset: i64,
        reveal: bool,
    ) -> Result<Option<Whole>> {
        let Some((letter, message)) = self.letter(partition, offset).await? else {
            return Ok(None);
        };
        let mut decoder = Decoder::with(self.registry.clone(), reveal);
        decoder.learn([&message]).await;
        let state = self.states_of(&[&letter]).await;
        let state = state.map(|it| it.into_iter().next().unwrap_or(State::NotOurs));
        // A record may be large.
        let whole = move || Ok(Some(whole(&decoder, letter, &message, Panel::of(state))));
        on_its_own_thread(whole).await
    }
}

fn whole(decoder: &Decoder, letter: Letter, message: &Message, state: Panel<State>) -> Whole {
    let decoded = decoder.decode(message);
    let text = match &decoded.json {
        Some(json) => json.pretty(),
        None => String::from_utf8_lossy(&decoded.bytes).into_owned(),
    };
    let (text, is_cut) = shown_text(&text);
    let (passes, fails) = match decoder.verdict(message) {
        Ok(id) => (Some(id), None),
        Err(why) => (None, Some(why)),
    };
    Whole {
        written: Moment::at(letter.written_ms),
        at: letter.origin.as_ref().map(|it| Moment::at(it.timestamp_ms)),
        error: letter.error(),
        key: message.key.as_deref().map(|key| decoder.key(key)),
        headers: decoder.headers(message),
        format: decoded.format,
        text,
        is_cut,
        failures: decoded.failures,
        passes,
        fails,
        state,
        letter,
    }
}
