//! A replica that is not one of the system's yet, or not any more.

use contract::announcement::Progress;
use service::config::{Piece, Stage};

use super::line::Line;

/// Its line; none for one that is as others are.
pub(super) fn line(piece: &Piece, heard: Option<&Progress>) -> Option<Line> {
    let verb = match piece.stage {
        Stage::Filling => "add",
        Stage::Leaving => "drop",
        Stage::Joining | Stage::Serving | Stage::Dropped => return None,
    };
    Some(Line {
        name: piece.name.clone(),
        state: piece.stage.word().to_owned(),
        position: heard.map(|progress| progress.position.0),
        why: format!("`projector {verb} --replica {}` is under way, or was broken off", piece.name),
        ..Line::default()
    })
}
