// SPDX-License-Identifier: Apache-2.0
#include "edge/secrets/secret_table.hpp"

#include "base/error/error.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;

constexpr std::string_view kSalt = "andon-edge";
constexpr std::string_view kPurpose = "secrets of components, 1\x01";  // the last: of block one

std::string_view text_of(const trust::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string context_of(const std::string& id, const std::string& version) {
  return id + '\n' + version;
}

json::array stages_of(const store::Row& row, std::size_t column) {
  return base::parse_json(row.text(column), "stages").as_array();
}

}  // namespace

trust::SealingKey secret_key_of(std::string_view private_key_pem) {
  const trust::Sha256 extracted = trust::hmac_sha256(kSalt, private_key_pem);
  return trust::SealingKey(std::string(text_of(trust::hmac_sha256(text_of(extracted), kPurpose))));
}

trust::SealingKey secret_key_of(const DeviceConfig& device, const Layout& layout) {
  return secret_key_of(device.private_key.empty()
                           ? base::read_file(private_key_file(layout))
                           : load_or_make_secret(layout.config() / "secrets.key"));
}

std::map<std::string, KeptSecret> read_kept_secrets(store::Transaction& transaction) {
  std::map<std::string, KeptSecret> kept;
  for (const store::Row& row :
       transaction.query("SELECT id, arn, name, version, stages FROM secrets")) {
    try {
      std::vector<std::string> stages;
      for (const json::value& stage : stages_of(row, 4)) stages.emplace_back(stage.as_string());
      KeptSecret& secret = kept[row.text(0)];
      secret.arn = row.text(1);
      secret.name = row.text(2);
      secret.versions[row.text(3)] = std::move(stages);
    } catch (const std::exception&) {
      continue;
    }
  }
  return kept;
}

void write_secret(store::Transaction& transaction, const trust::SealingKey& key,
                  const std::string& id, const std::vector<SecretVersion>& versions) {
  forget_secret(transaction, id);
  for (const SecretVersion& one : versions) {
    transaction.execute(
        "INSERT INTO secrets (id, arn, name, version, stages, sealed) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        {id, one.arn, one.name, one.id,
         base::to_text(json::array(one.stages.begin(), one.stages.end())),
         store::Blob{key.seal(one.value, context_of(id, one.id))}});
  }
}

void forget_secret(store::Transaction& transaction, const std::string& id) {
  transaction.execute("DELETE FROM secrets WHERE id = $1", {id});
}

json::object read_secret(store::Transaction& transaction, const trust::SealingKey& key,
                         const std::string& id, const std::string& version) {
  const auto row = transaction.query_one(
      "SELECT arn, stages, sealed FROM secrets WHERE id = $1 AND version = $2", {id, version});
  try {
    if (!row) throw base::Error(base::ErrorCode::data_corrupted, "it is gone");
    return {{"secretId", row->text(0)},
            {"versionId", version},
            {"versionStage", stages_of(*row, 1)},
            {"secretValue",
             base::parse_json(key.open(row->blob(2), context_of(id, version)), "secret")}};
  } catch (const std::exception& error) {
    throw base::Error(base::ErrorCode::data_corrupted,
                      std::string("what is kept of the secret is damaged: ") + error.what());
  }
}

}  // namespace andon::edge
