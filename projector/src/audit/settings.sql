-- What a session that compares sets, so that rows as text are the same on every server: nothing depends on its version, time zone
-- or settings. And it may take its time. Index: none.
set timezone = 'UTC';
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set bytea_output = 'hex';
set extra_float_digits = '1';
set idle_in_transaction_session_timeout = '0';
set statement_timeout = '0';
set jit = 'off';
