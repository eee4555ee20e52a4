-- The closing of a catalogue makes indexes, which only the owner may: the projector may become it, and does not inherit.
grant atelier_owner to atelier_projector with inherit false, set true;
