-- How far the generation that is being built is, and whether everything of it is there.
select
    (select position from building.checkpoint) as position,
    (select complete from control.generations where schema = 'building') as complete
