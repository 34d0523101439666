// SPDX-License-Identifier: Apache-2.0
#include "edge/secrets/secret_manager.hpp"

#include <algorithm>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kArnStart = "arn:aws:secretsmanager:";
constexpr std::string_view kNameStart = ":secret:";
constexpr std::size_t kSuffixBytes = 7;  // "-a1B2c3", which the server puts behind a name
constexpr std::chrono::seconds kFirstRetry{5};
constexpr std::chrono::seconds kLongestRetry{300};
// A failure is repeated to those who ask for so long, so that they do not storm the server.
constexpr std::chrono::seconds kKeepFailure{10};
constexpr std::size_t kMostNoted = 3;

bool is_arn(std::string_view id) {
  return id.starts_with(kArnStart);
}

std::string_view without_suffix(std::string_view arn) {
  const bool has_one = arn.size() > kSuffixBytes && arn[arn.size() - kSuffixBytes] == '-';
  return has_one ? arn.substr(0, arn.size() - kSuffixBytes) : arn;
}

std::string_view name_in(std::string_view arn) {
  const std::size_t at = arn.find(kNameStart);
  return at == std::string_view::npos ? arn : without_suffix(arn.substr(at + kNameStart.size()));
}

const std::string* version_of(const KeptSecret& kept, const std::string& version,
                              const std::string& stage) {
  const auto found = std::ranges::find_if(kept.versions, [&](const auto& one) {
    return version.empty() ? std::ranges::find(one.second, stage) != one.second.end()
                           : one.first == version;
  });
  return found == kept.versions.end() ? nullptr : &found->first;
}

}  // namespace

SecretManager::SecretManager(Parts parts)
    : parts_(std::move(parts)),
      kept_(parts_.database.read(
          [](store::Transaction& transaction) { return read_kept_secrets(transaction); })),
      retry_(kFirstRetry),
      worker_(parts_.loop) {}

SecretManager::~SecretManager() {
  *alive_ = false;
  parts_.loop.cancel(retry_timer_);
  parts_.loop.cancel(period_timer_);
}

void SecretManager::add_to(IpcOperations& operations) {
  operations["GetSecretValue"] = {
      .after = StreamAfterAnswer::closes,
      .handle_later = [this](const IpcCall& call, IpcReply reply) { get(call, std::move(reply)); }};
}

void SecretManager::refresh() {
  SecretSettings settings;
  const json::object* const configuration = parts_.configuration();
  std::string problem;
  if (configuration != nullptr) {
    try {
      settings = read_secret_settings(*configuration);
    } catch (const Error& error) {
      problem = "its configuration is wrong: " + error.message();
    }
  }
  if (problem != settings_problem_) {
    settings_problem_ = std::move(problem);
    if (!settings_problem_.empty()) {
      base::log_error("no secrets are given", {{"why", settings_problem_}});
    }
  }
  if (settings != settings_) {
    settings_ = std::move(settings);
    std::erase_if(problems_,
                  [&](const auto& one) { return !settings_.secrets.contains(one.first); });
    std::erase_if(due_, [&](const auto& id) { return !settings_.secrets.contains(id); });
    for (const auto& [id, stages] : settings_.secrets) due_.insert(id);
    retry_ = kFirstRetry;
    set_period();
    go_on();
  }
  note();
}

void SecretManager::deployment_ended() {
  noted_.reset();  // the component may be another
  refresh();
  if (!settings_problem_.empty()) return;
  std::vector<std::string> unwanted;
  for (const auto& [id, secret] : kept_) {
    if (!settings_.secrets.contains(id)) unwanted.push_back(id);
  }
  if (unwanted.empty()) return;
  for (const std::string& id : unwanted) kept_.erase(id);
  parts_.writer.run([unwanted](store::Transaction& transaction) {
    for (const std::string& id : unwanted) forget_secret(transaction, id);
  });
}

void SecretManager::connection_changed(bool is_connected) {
  if (is_connected && retry_timer_ != 0) {
    parts_.loop.cancel(std::exchange(retry_timer_, 0));
    retry_ = kFirstRetry;
    go_on();
  }
}

void SecretManager::set_period() {
  parts_.loop.cancel(std::exchange(period_timer_, 0));
  if (!settings_.period) return;
  period_timer_ = parts_.loop.after(*settings_.period, [this] {
    period_timer_ = 0;
    set_period();
    for (const auto& [id, stages] : settings_.secrets) due_.insert(id);
    go_on();
  });
}

std::string SecretManager::arn_of(const std::string& id) const {
  const auto kept = kept_.find(id);
  if (kept != kept_.end()) return kept->second.arn;
  return is_arn(id) ? id : std::string();
}

std::optional<std::string> SecretManager::find(const std::string& secret) const {
  for (const auto& [id, stages] : settings_.secrets) {
    const std::string arn = arn_of(id);
    const bool is_it = secret == id ||
                       (!arn.empty() && (secret == arn || secret == name_in(arn) ||
                                         secret == without_suffix(arn))) ||
                       (arn.empty() && is_arn(secret) && name_in(secret) == id);
    if (is_it) return id;
  }
  return std::nullopt;
}

void SecretManager::get(const IpcCall& call, IpcReply reply) {
  const base::JsonReader reader(call.request, "GetSecretValue request");
  Asked asked{call.component, reader.required_text("secretId"),
              reader.optional_string("versionId").value_or(""),
              reader.optional_string("versionStage").value_or("")};
  if (!asked.version.empty() && !asked.stage.empty()) {
    throw invalid_arguments("give versionId or versionStage, and not both");
  }
  if (asked.stage.empty()) asked.stage = kCurrentStage;
  auto id = find(asked.secret);
  if (!id) {
    refresh();  // a component may be quicker than the end of its deployment
    id = find(asked.secret);
  }
  if (!id) {
    throw resource_not_found("secret", asked.secret,
                             "this device keeps no secret '" + asked.secret.substr(0, 512) +
                                 "': name it in cloudSecrets of the configuration of " +
                                 std::string(kSecretManager));
  }
  // With a version there is nothing to be fresher.
  const bool wants_fresh = reader.optional_bool("refresh").value_or(false) && asked.version.empty();
  if (!wants_fresh) return answer(*id, asked, Attempt::first, reply);
  require_access(*id, asked);
  fetch_soon(*id, last_answer(*id, asked, reply));
}

// By the whole ARN, which is known once the server has answered.
void SecretManager::require_access(const std::string& id, const Asked& asked) const {
  const auto kept = kept_.find(id);
  if (kept == kept_.end()) return;
  parts_.policy.require(asked.component,
                        {kSecretManager, "aws.greengrass#GetSecretValue", kept->second.arn});
}

SecretManager::Waiter SecretManager::last_answer(const std::string& id, const Asked& asked,
                                                 const IpcReply& reply) {
  return [this, id, asked, reply] {
    try {
      answer(id, asked, Attempt::last, reply);
    } catch (const Error&) {
      reply({}, std::current_exception());
    }
  };
}

void SecretManager::answer(const std::string& id, const Asked& asked, Attempt attempt,
                           const IpcReply& reply) {
  require_access(id, asked);
  const auto kept = kept_.find(id);
  if (kept == kept_.end()) {
    const auto problem = problems_.find(id);
    const bool is_new =
        problem != problems_.end() && parts_.loop.now() - problem->second.at < kKeepFailure;
    if (attempt == Attempt::last || is_new) throw_absent(id, asked);
    return fetch_soon(id, last_answer(id, asked, reply));
  }
  const std::string* const version = version_of(kept->second, asked.version, asked.stage);
  if (version == nullptr) {
    const std::string what = asked.version.empty() ? "stage " + asked.stage : "id " + asked.version;
    throw resource_not_found("secret", asked.secret,
                             "no version of secret " + id + " with " + what.substr(0, 300) +
                                 " is on this device: is it one of its labels in cloudSecrets?");
  }
  answer_from_disk(id, *version, asked, attempt, reply);
}

void SecretManager::throw_absent(const std::string& id, const Asked& asked) const {
  const auto problem = problems_.find(id);
  if (problem == problems_.end()) {
    throw resource_not_found("secret", asked.secret, "secret " + id + " is not wanted any more");
  }
  if (problem->second.code == ErrorCode::not_found) {
    throw resource_not_found("secret", asked.secret,
                             "the server has no secret " + id + ": " + problem->second.text);
  }
  throw Error(ErrorCode::unavailable,
              "secret " + id + " is not on this device: " + problem->second.text);
}

void SecretManager::answer_from_disk(const std::string& id, const std::string& version,
                                     const Asked& asked, Attempt attempt, const IpcReply& reply) {
  const auto read = std::make_shared<json::object>();
  parts_.writer.run(
      [read, key = parts_.key, id, version](store::Transaction& transaction) {
        *read = read_secret(transaction, key(), id, version);
      },
      [this, alive = alive_, read, id, version, asked, attempt,
       reply](const std::exception_ptr& error) {
        if (!error) return reply(*read, nullptr);
        try {
          std::rethrow_exception(error);
        } catch (const Error& wrong) {
          if (!*alive || wrong.code() != ErrorCode::data_corrupted) return reply({}, error);
          const auto kept = kept_.find(id);
          const bool was_replaced = kept != kept_.end() && !kept->second.versions.contains(version);
          if (was_replaced && attempt == Attempt::first) return last_answer(id, asked, reply)();
          base::log_error("a secret is asked for anew", {{"secret", id}, {"why", wrong.message()}});
          kept_.erase(id);
          if (attempt == Attempt::last) return reply({}, error);
          fetch_soon(id, last_answer(id, asked, reply));
        }
      });
}

void SecretManager::fetch_soon(const std::string& id, Waiter waiter) {
  if (fetching_ != id) due_.insert(id);
  waiting_[id].push_back(std::move(waiter));
  parts_.loop.cancel(std::exchange(retry_timer_, 0));  // now, then
  go_on();
}

void SecretManager::go_on() {
  if (!fetching_.empty() || due_.empty() || retry_timer_ != 0) return;
  // Who waits goes first.
  const std::string id = waiting_.empty() ? *due_.begin() : waiting_.begin()->first;
  due_.erase(id);
  const auto wanted = settings_.secrets.find(id);
  if (wanted == settings_.secrets.end()) return end(id);  // not any more
  fetching_ = id;
  const auto fetched = std::make_shared<Fetched>();
  worker_.run([this, fetched, id, stages = wanted->second,
               now = parts_.clock.now()] { *fetched = fetch_all(parts_, id, stages, now); },
              [this, fetched, id](const std::exception_ptr& error) { take(id, *fetched, error); });
}

SecretManager::Fetched SecretManager::fetch_all(const Parts& parts, const std::string& id,
                                                const std::vector<std::string>& stages,
                                                base::Timestamp now) {
  Fetched fetched;
  for (const std::string& stage : stages) {
    SecretVersion version;
    try {
      version = parts.fetch(id, stage, now);
    } catch (const Error& error) {
      // Each secret has a current version; another stage may be nobody's.
      if (error.code() != ErrorCode::not_found || stage == kCurrentStage) throw;
      fetched.missing.push_back(stage);
      continue;
    }
    // A stage may have moved meanwhile: the newest answer counts.
    std::erase_if(fetched.versions, [&](SecretVersion& other) {
      std::erase_if(other.stages, [&](const std::string& one) {
        return std::ranges::find(version.stages, one) != version.stages.end();
      });
      return other.id == version.id;
    });
    fetched.versions.push_back(std::move(version));
  }
  return fetched;
}

void SecretManager::take(const std::string& id, const Fetched& fetched,
                         const std::exception_ptr& error) {
  fetching_.clear();
  if (!settings_.secrets.contains(id)) return end(id);
  if (!error) return keep(id, fetched);
  try {
    std::rethrow_exception(error);
  } catch (const Error& wrong) {
    set_problem(id, wrong.code(), wrong.message());
    base::log_warning("a secret cannot be had", {{"secret", id}, {"why", wrong.message()}});
    if (wrong.code() == ErrorCode::not_found) {
      kept_.erase(id);
      parts_.writer.run([id](store::Transaction& transaction) { forget_secret(transaction, id); });
    }
    const bool may_pass = wrong.code() == ErrorCode::unavailable ||
                          wrong.code() == ErrorCode::deadline_exceeded ||
                          wrong.code() == ErrorCode::data_corrupted;
    if (!may_pass) return end(id);
    // The others would not be answered either.
    due_.insert(id);
    try_again_later();
    end_all({wrong.code(), wrong.message(), parts_.loop.now()});
  }
}

void SecretManager::set_problem(const std::string& id, ErrorCode code, std::string text) {
  problems_[id] = {code, std::move(text), parts_.loop.now()};
}

void SecretManager::keep(const std::string& id, const Fetched& fetched) {
  if (fetched.missing.empty()) {
    problems_.erase(id);
  } else {
    std::string labels;
    for (const std::string& one : fetched.missing) labels += (labels.empty() ? "" : ", ") + one;
    set_problem(id, ErrorCode::failed_precondition, "no version has the label " + labels);
  }
  retry_ = kFirstRetry;
  KeptSecret now;
  for (const SecretVersion& one : fetched.versions) {
    now.arn = one.arn;
    now.name = one.name;
    now.versions[one.id] = one.stages;
  }
  // What a version holds never changes.
  if (const auto before = kept_.find(id); before != kept_.end() && before->second == now) {
    return end(id);
  }
  fetching_ = id;
  parts_.writer.run(
      [key = parts_.key, id, versions = fetched.versions](store::Transaction& transaction) {
        write_secret(transaction, key(), id, versions);
      },
      [this, alive = alive_, id, now](const std::exception_ptr& error) {
        if (!*alive) return;
        fetching_.clear();
        try {
          if (error) std::rethrow_exception(error);
          kept_[id] = now;
        } catch (const Error& wrong) {
          set_problem(id, ErrorCode::unavailable, "it cannot be kept: " + wrong.message());
          base::log_error("a secret cannot be kept", {{"secret", id}, {"why", wrong.message()}});
          due_.insert(id);
          try_again_later();
        }
        end(id);
      });
}

void SecretManager::end(const std::string& id) {
  const auto found = waiting_.find(id);
  std::vector<Waiter> waiters;
  if (found != waiting_.end()) {
    waiters = std::move(found->second);
    waiting_.erase(found);
  }
  note();
  for (const Waiter& waiter : waiters) waiter();
  go_on();
}

void SecretManager::end_all(const Problem& why) {
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& [id, waiters] : waiting) {
    if (settings_.secrets.contains(id)) problems_[id] = why;
  }
  note();
  for (const auto& [id, waiters] : waiting) {
    for (const Waiter& waiter : waiters) waiter();
  }
}

void SecretManager::try_again_later() {
  parts_.loop.cancel(retry_timer_);
  retry_timer_ = parts_.loop.after(retry_, [this] {
    retry_timer_ = 0;
    go_on();
  });
  retry_ = std::min(retry_ * 2, kLongestRetry);
}

void SecretManager::note() {
  std::string text = settings_problem_;
  std::size_t told = 0;
  for (const auto& [id, problem] : problems_) {
    if (!text.empty()) text += "; ";
    if (++told > kMostNoted) {
      text += "and others";
      break;
    }
    text += "secret " + id + ": " + problem.text;
  }
  if (text == noted_) return;
  noted_ = text;
  parts_.note(
      {settings_problem_.empty() ? NoteCode::secrets_not_fetched : NoteCode::configuration_not_used,
       std::move(text)});
}

}  // namespace andon::edge
