-- a state file of format 1
BEGIN TRANSACTION;
CREATE TABLE claim(resource TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "claim" VALUES('engine','0f3c',3);
CREATE TABLE delivery(id INTEGER PRIMARY KEY, session TEXT NOT NULL, over INTEGER NOT NULL, created INTEGER NOT NULL,
                      body TEXT NOT NULL, sum INTEGER NOT NULL);
INSERT INTO "delivery" VALUES(10,'demo-builder',1,1700000000010,'{"id":10,"session":"demo-builder","kind":"send","text":"go on — „now“ \u001b[31m","submit_key":"Enter","created":1700000000010,"incarnation":3,"not_before":17,"stage":{"stage":"undelivered","at":5,"reason":"agent gone"}}',-4098305662352240650);
INSERT INTO "delivery" VALUES(11,'demo-builder',0,1700000000011,'{"id":11,"session":"demo-builder","kind":"send","text":"go on — „now“ \u001b[31m","submit_key":"Enter","created":1700000000011,"incarnation":3,"not_before":17,"stage":{"stage":"typing","since":1,"check":2,"until":3,"before":0}}',8881524717942164509);
CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, agent TEXT,
                   alert INTEGER NOT NULL, text TEXT NOT NULL, data TEXT);
INSERT INTO "event" VALUES(1,3,'gave-up','builder',1,'builder: started','{"n":3}');
INSERT INTO "event" VALUES(2,4,'gave-up',NULL,0,'watchdog up',NULL);
CREATE TABLE fleet(id INTEGER PRIMARY KEY CHECK(id = 1), body TEXT NOT NULL, sum INTEGER NOT NULL);
INSERT INTO "fleet" VALUES(1,'{"next_delivery":12,"phase":1,"phase_pending":false,"sequence_complete":false,"handoff":{"heads":{"refs/heads/main":"0123456789abcdef0123456789abcdef01234567"},"seen_once":false,"handled":[],"inboxes":{},"last_error":null},"next_signal":null,"next_heavy":null,"server":"unknown","server_lost":null,"recent_restarts":[],"storm_until":null,"alerted":[],"config_faults":[],"known":[]}',-3012735163669810583);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('config','session_prefix = "demo-"
');
CREATE TABLE request(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, body TEXT NOT NULL, answer TEXT,
                     answered INTEGER);
INSERT INTO "request" VALUES(1,1764000000000,'{"verb":"pause","names":["builder"]}','{"answer":"accepted","text":"paused","delivery":null}',1795220867549);
INSERT INTO "request" VALUES(2,1764000000500,'{"verb":"phase-set","index":1}',NULL,NULL);
CREATE TABLE unit(session TEXT PRIMARY KEY, body TEXT NOT NULL, sum INTEGER NOT NULL);
INSERT INTO "unit" VALUES('demo-builder','{"name":"demo-builder","session":"demo-builder","service":false,"wish":"run","life":{"life":"running","since":123456},"incarnation":7,"pane":null,"restarts":{"total":0,"recent":[],"gave_up":false,"last_start":null},"last_exit":null,"reason":"","since":0,"start_model":null,"start_backend":null,"sight":{"state":"unknown","idle_since":null,"suspect":null,"evidence":[],"waiting_until":null},"hold":{"since":1764000000000,"until":999999,"until_wall":1764000900000,"reset":null,"probes":2,"pause_ms":600000},"wake_due":null,"alerted":[],"started_with":null}',-6392087874853544509);
INSERT INTO "unit" VALUES('demo-adversary','{"name":"demo-adversary","session":"demo-adversary","service":false,"wish":"stop","life":{"life":"absent"},"incarnation":3,"pane":null,"restarts":{"total":0,"recent":[],"gave_up":false,"last_start":null},"last_exit":null,"reason":"","since":0,"start_model":null,"start_backend":null,"sight":{"state":"unknown","idle_since":null,"suspect":null,"evidence":[],"waiting_until":null},"hold":null,"wake_due":null,"alerted":[],"started_with":null}',-6293211488733340150);
CREATE INDEX delivery_open ON delivery(id) WHERE over = 0;
CREATE INDEX delivery_session ON delivery(session, id);
CREATE INDEX event_agent ON event(agent, seq);
CREATE INDEX request_open ON request(id) WHERE answer IS NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('request',2);
INSERT INTO "sqlite_sequence" VALUES('event',2);
COMMIT;
PRAGMA user_version = 1;
