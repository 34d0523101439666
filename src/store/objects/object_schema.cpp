// SPDX-License-Identifier: Apache-2.0
#include "store/objects/object_schema.hpp"

namespace andon::store {
namespace {

const std::vector<Migration> kMigrations = {{"objects", R"(
CREATE TABLE object_bucket (name TEXT PRIMARY KEY, created INTEGER NOT NULL);
CREATE TABLE object (
  bucket TEXT NOT NULL REFERENCES object_bucket (name),
  key TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  etag TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL,
  headers TEXT NOT NULL,
  modified INTEGER NOT NULL,
  PRIMARY KEY (bucket, key));
CREATE INDEX object_by_sha256 ON object (sha256);
CREATE TABLE object_upload (
  id TEXT PRIMARY KEY,
  bucket TEXT NOT NULL REFERENCES object_bucket (name),
  key TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL,
  headers TEXT NOT NULL,
  created INTEGER NOT NULL,
  completed_etag TEXT);
CREATE INDEX object_upload_by_key ON object_upload (bucket, key, created);
CREATE TABLE object_upload_part (
  upload TEXT NOT NULL REFERENCES object_upload (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  size INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  PRIMARY KEY (upload, number));
CREATE INDEX object_upload_part_by_sha256 ON object_upload_part (sha256);
)"},
                                            {"uploads by age", R"(
CREATE INDEX object_upload_by_age ON object_upload (created);
)"},
                                            {"headers of parts", R"(
ALTER TABLE object_upload_part ADD COLUMN headers TEXT NOT NULL DEFAULT '{}';
)"},
                                            // What lies below each first folder of a bucket.
                                            {"usage", R"(
CREATE TABLE object_usage (
  bucket TEXT NOT NULL,
  owner TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  PRIMARY KEY (bucket, owner)) WITHOUT ROWID;
INSERT INTO object_usage
  SELECT bucket, substr(key, 1, instr(key, '/') - 1), SUM(size), COUNT(*) FROM object
  WHERE instr(key, '/') > 1 GROUP BY 1, 2;
CREATE TRIGGER object_usage_added AFTER INSERT ON object WHEN instr(NEW.key, '/') > 1 BEGIN
  INSERT INTO object_usage VALUES
    (NEW.bucket, substr(NEW.key, 1, instr(NEW.key, '/') - 1), NEW.size, 1)
    ON CONFLICT (bucket, owner) DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + 1;
END;
CREATE TRIGGER object_usage_changed AFTER UPDATE OF size ON object
WHEN instr(NEW.key, '/') > 1 BEGIN
  UPDATE object_usage SET bytes = bytes + NEW.size - OLD.size
    WHERE bucket = NEW.bucket AND owner = substr(NEW.key, 1, instr(NEW.key, '/') - 1);
END;
CREATE TRIGGER object_usage_removed AFTER DELETE ON object WHEN instr(OLD.key, '/') > 1 BEGIN
  UPDATE object_usage SET bytes = bytes - OLD.size, objects = objects - 1
    WHERE bucket = OLD.bucket AND owner = substr(OLD.key, 1, instr(OLD.key, '/') - 1);
  DELETE FROM object_usage WHERE objects = 0 AND bucket = OLD.bucket
    AND owner = substr(OLD.key, 1, instr(OLD.key, '/') - 1);
END;
)"},
                                            // What was asked of a bucket, each as a text.
                                            {"bucket settings", R"(
CREATE TABLE object_bucket_setting (
  bucket TEXT NOT NULL REFERENCES object_bucket (name) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (bucket, name)) WITHOUT ROWID;
)"},
                                            // `object` has what is read without a version: the
                                            // latest, unless that is a delete marker. What is not
                                            // current, and markers, are in object_version, in the
                                            // order of `sequence` within a key; `noncurrent` is
                                            // NULL for a marker that is the latest.
                                            {"versions", R"(
ALTER TABLE object_bucket ADD COLUMN versioning TEXT NOT NULL DEFAULT '';
ALTER TABLE object ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
ALTER TABLE object ADD COLUMN version TEXT NOT NULL DEFAULT 'null';
ALTER TABLE object ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE object_upload ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
CREATE INDEX object_by_age ON object (bucket, modified);
CREATE TABLE object_version (
  bucket TEXT NOT NULL REFERENCES object_bucket (name),
  key TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  etag TEXT NOT NULL,
  content_type TEXT NOT NULL,
  metadata TEXT NOT NULL,
  headers TEXT NOT NULL,
  modified INTEGER NOT NULL,
  tags TEXT NOT NULL,
  version TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  is_marker INTEGER NOT NULL,
  noncurrent INTEGER,
  PRIMARY KEY (bucket, key, sequence));
CREATE UNIQUE INDEX object_version_by_id ON object_version (bucket, key, version);
CREATE INDEX object_version_by_sha256 ON object_version (sha256);
CREATE INDEX object_version_by_age ON object_version (bucket, noncurrent);
CREATE TRIGGER object_version_usage_added AFTER INSERT ON object_version
WHEN instr(NEW.key, '/') > 1 BEGIN
  INSERT INTO object_usage VALUES
    (NEW.bucket, substr(NEW.key, 1, instr(NEW.key, '/') - 1), NEW.size, 1)
    ON CONFLICT (bucket, owner) DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + 1;
END;
CREATE TRIGGER object_version_usage_removed AFTER DELETE ON object_version
WHEN instr(OLD.key, '/') > 1 BEGIN
  UPDATE object_usage SET bytes = bytes - OLD.size, objects = objects - 1
    WHERE bucket = OLD.bucket AND owner = substr(OLD.key, 1, instr(OLD.key, '/') - 1);
  DELETE FROM object_usage WHERE objects = 0 AND bucket = OLD.bucket
    AND owner = substr(OLD.key, 1, instr(OLD.key, '/') - 1);
END;
)"}};

}  // namespace

const std::vector<Migration>& object_migrations() {
  return kMigrations;
}

}  // namespace andon::store
