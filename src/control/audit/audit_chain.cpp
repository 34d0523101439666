// SPDX-License-Identifier: Apache-2.0
#include "control/audit/audit_chain.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "trust/digests/digest.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostText = 256;
constexpr std::size_t kMostDecision = 1100;  // of 1,024 letters is a reason
constexpr std::size_t kMostResource = 1200;  // a bucket and a key
constexpr std::size_t kMostResources = 1100;
constexpr std::int64_t kRowBytes = 100;  // beside the content and what indices repeat of it
constexpr std::string_view kHeadMark = "andon audit head 1";

std::string short_text(std::string_view text, std::size_t most = kMostText) {
  const std::string valid = base::to_valid_utf8(text.substr(0, most + 4));
  return std::string(base::utf8_prefix(valid, most));
}

void put(json::object& content, std::string_view key, std::string_view text) {
  if (!text.empty()) content[key] = short_text(text);
}

template <typename Word, std::size_t Count>
Word word_of(const std::array<std::pair<std::string_view, Word>, Count>& words,
             const std::string& text) {
  const auto* const found =
      std::ranges::find(words, text, &std::pair<std::string_view, Word>::first);
  if (found == words.end()) {
    throw Error(ErrorCode::data_corrupted,
                "an entry of the audit log says '" + short_text(text) + "'");
  }
  return found->second;
}

constexpr std::array<std::pair<std::string_view, AuditAccess>, 2> kAccesses{
    {{"read", AuditAccess::read}, {"write", AuditAccess::write}}};
constexpr std::array<std::pair<std::string_view, AuditOutcome>, 3> kOutcomes{
    {{"ok", AuditOutcome::ok}, {"denied", AuditOutcome::denied}, {"error", AuditOutcome::error}}};

}  // namespace

std::string_view to_string(AuditAccess access) {
  return access == AuditAccess::read ? "read" : "write";
}

std::string_view to_string(AuditOutcome outcome) {
  switch (outcome) {
    case AuditOutcome::ok:
      return "ok";
    case AuditOutcome::denied:
      return "denied";
    case AuditOutcome::error:
      break;
  }
  return "error";
}

// A UUID of version 8: 12 digits of the hash, 16 (less the UUID's own marks) of the sequence.
std::string AuditEntry::event_id() const {
  constexpr std::size_t kDigits = 12;
  std::string number(kDigits, '0');
  auto rest = static_cast<std::uint64_t>(sequence);
  for (std::size_t i = kDigits; i > 0; --i, rest >>= 4U) {
    number[i - 1] = "0123456789abcdef"[rest & 0xfU];
  }
  return hash.substr(0, 8) + "-" + hash.substr(8, 4) + "-8" + hash.substr(12, 3) + "-8" +
         hash.substr(15, 3) + "-" + number;
}

std::string to_content(std::int64_t sequence, const AuditEvent& event) {
  json::object content{{"sequence", sequence}, {"time", base::to_iso8601(event.time)}};
  put(content, "via", event.via);
  put(content, "principal", event.principal);
  put(content, "name", event.name);
  put(content, "principalArn", event.principal_arn);
  put(content, "session", event.session);
  put(content, "accessKeyId", event.access_key_id);
  put(content, "address", event.address);
  put(content, "userAgent", event.user_agent);
  put(content, "region", event.region);
  put(content, "service", event.service);
  put(content, "operation", event.operation);
  content["access"] = to_string(event.access);
  json::array resources;
  for (const std::string& resource : event.resources) {
    if (resources.size() == kMostResources) break;
    resources.emplace_back(short_text(resource, kMostResource));
  }
  content["resources"] = std::move(resources);
  if (event.resources.size() > kMostResources) {
    content["resourcesLeftOut"] = event.resources.size() - kMostResources;
  }
  content["outcome"] = to_string(event.outcome);
  put(content, "errorCode", event.error_code);
  put(content, "requestId", event.request_id);
  put(content, "madeAccessKeyId", event.made_access_key_id);
  if (!event.decision.empty()) content["decision"] = short_text(event.decision, kMostDecision);
  put(content, "detail", event.detail);
  if (event.count != 1) content["count"] = event.count;
  return base::to_text(content);
}

AuditEvent read_content(std::string_view content) {
  try {
    const json::value parsed = base::parse_json(content, "entry of the audit log");
    const base::JsonReader reader(parsed, "entry");
    const auto text = [&](std::string_view key) {
      return reader.optional_string(key).value_or("");
    };
    const auto time = base::parse_iso8601(reader.string("time"));
    if (!time) throw Error(ErrorCode::invalid_argument, "time: is none");
    return {.time = *time,
            .via = text("via"),
            .principal = text("principal"),
            .name = text("name"),
            .principal_arn = text("principalArn"),
            .session = text("session"),
            .access_key_id = text("accessKeyId"),
            .address = text("address"),
            .user_agent = text("userAgent"),
            .region = text("region"),
            .service = text("service"),
            .operation = text("operation"),
            .access = word_of(kAccesses, text("access")),
            .resources = reader.strings("resources"),
            .outcome = word_of(kOutcomes, text("outcome")),
            .error_code = text("errorCode"),
            .request_id = text("requestId"),
            .made_access_key_id = text("madeAccessKeyId"),
            .decision = text("decision"),
            .detail = text("detail"),
            .count = static_cast<std::uint64_t>(reader.optional_integer("count").value_or(1))};
  } catch (const Error& error) {
    throw Error(ErrorCode::data_corrupted, error.message());
  }
}

std::string entry_hash(std::string_view hash_before, std::string_view content) {
  trust::Sha256Stream digest;
  digest.update(hash_before);
  digest.update(content);
  return base::to_hex(digest.finish());
}

std::string sign_head(const AuditHead& head, std::string_view key) {
  std::string text(kHeadMark);
  for (const std::string& part :
       {std::to_string(head.first_sequence), head.hash_before, std::to_string(head.last_sequence),
        head.last_hash, std::to_string(head.bytes)}) {
    text += "\n" + part;
  }
  return base::to_hex(trust::hmac_sha256(key, text));
}

AuditHead load_head(store::Transaction& tx, std::string_view key) {
  const auto row = tx.query_one(
      "SELECT first_sequence, hash_before, last_sequence, last_hash, bytes, signature "
      "FROM audit_head WHERE id = 1");
  if (!row) {
    if (tx.query_one("SELECT 1 FROM audit_entries LIMIT 1")) {
      throw Error(ErrorCode::data_corrupted,
                  "the head of the audit log is gone, and there are entries: somebody has removed "
                  "it; restore a backup");
    }
    return {};
  }
  AuditHead head{.first_sequence = row->integer(0),
                 .hash_before = row->text(1),
                 .last_sequence = row->integer(2),
                 .last_hash = row->text(3),
                 .bytes = row->integer(4)};
  if (!trust::equal_in_constant_time(sign_head(head, key), row->text(5))) {
    throw Error(ErrorCode::data_corrupted,
                "the head of the audit log is not the one that this server has signed: it was "
                "changed, or credentials/audit.key was; restore a backup");
  }
  return head;
}

void store_head(store::Transaction& tx, const AuditHead& head, std::string_view key) {
  tx.execute(
      "INSERT INTO audit_head (id, first_sequence, hash_before, last_sequence, last_hash, bytes, "
      "signature) VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET "
      "first_sequence = excluded.first_sequence, hash_before = excluded.hash_before, "
      "last_sequence = excluded.last_sequence, last_hash = excluded.last_hash, "
      "bytes = excluded.bytes, signature = excluded.signature",
      {head.first_sequence, head.hash_before, head.last_sequence, head.last_hash, head.bytes,
       sign_head(head, key)});
}

std::int64_t stored_bytes(std::string_view content) {
  return static_cast<std::int64_t>(content.size() + content.size() / 2) + kRowBytes;
}

}  // namespace andon::control
