// SPDX-License-Identifier: Apache-2.0
// A control plane on a temporary database and object store, with a clock that the test turns and a
// notifier that remembers. For tests of control/ and api/.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "control/control_plane.hpp"
#include "store/database.hpp"
#include "store/object_store.hpp"
#include "trust/certificate.hpp"

namespace andon::control {

// Remembers what devices would have been told.
class RecordingNotifier final : public Notifier {
 public:
  struct Message {
    std::string topic;
    json::value payload;
  };

  void publish(const std::string& topic, const std::string& payload) override {
    const std::lock_guard lock(mutex_);
    messages_.push_back({topic, base::parse_json(payload, "notification")});
  }

  [[nodiscard]] std::vector<Message> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }
  // The last payload published to `topic`, or null.
  [[nodiscard]] json::value last(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
      if (message->topic == topic) return message->payload;
    }
    return nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Message> messages_;
};

class ControlFixture {
 public:
  ControlFixture()
      : clock_(base::from_epoch_millis(1'795'343'912'000)),
        database_(store::open_sqlite(directory_.path() / "andon.db")),
        objects_(*database_, directory_.path() / "objects", clock_),
        authority_(
            trust::make_certificate_authority("test CA", clock_.now(), std::chrono::days(3650))),
        control_(std::make_unique<ControlPlane>(*database_, objects_, clock_, notifier_, authority_,
                                                Arns())) {}

  ControlPlane& control() { return *control_; }
  store::ObjectStore& objects() { return objects_; }
  store::Database& database() { return *database_; }
  base::FakeClock& clock() { return clock_; }
  RecordingNotifier& notifier() { return notifier_; }
  const trust::CertificateAuthority& authority() { return authority_; }

  // As after a crash: everything but database and objects is gone.
  void restart() {
    control_.reset();
    control_ =
        std::make_unique<ControlPlane>(*database_, objects_, clock_, notifier_, authority_, Arns());
  }

  void put_object(const std::string& bucket, const std::string& key, const std::string& content) {
    if (!objects_.has_bucket(bucket)) objects_.create_bucket(bucket);
    std::size_t offset = 0;
    objects_.put(bucket, key,
                 [&](char* buffer, std::size_t size) {
                   const std::size_t count = content.copy(buffer, size, offset);
                   offset += count;
                   return count;
                 },
                 {});
  }

  // A component without artifacts; `dependencies` as in a recipe.
  ComponentSummary add_component(const std::string& name, const std::string& version,
                                 const std::string& dependencies = "{}") {
    return control_->components.create(recipe(name, version, "[]", dependencies), std::nullopt);
  }

  static std::string recipe(const std::string& name, const std::string& version,
                            const std::string& artifacts = "[]",
                            const std::string& dependencies = "{}") {
    return R"({"RecipeFormatVersion": "2020-01-25", "ComponentName": ")" + name +
           R"(", "ComponentVersion": ")" + version +
           R"(", "ComponentDescription": "a test", "ComponentPublisher": "tests",
              "ComponentDependencies": )" +
           dependencies + R"(, "Manifests": [{"Platform": {"os": "linux"}, "Artifacts": )" +
           artifacts + R"(, "Lifecycle": {"run": "true"}}]})";
  }

  Deployment deploy(const std::string& target, const std::string& component,
                    const std::string& version) {
    return control_->deployments.create(
        {{"targetArn", Arns().target(target)},
         {"components", {{component, {{"componentVersion", version}}}}}});
  }

  // What a device says of its job.
  JobUpdateResult report(const std::string& thing, const std::string& job_id, JobStatus status) {
    return control_->jobs.update(thing, job_id, {status, {}, {}});
  }

 private:
  base::TemporaryDirectory directory_;
  base::FakeClock clock_;
  std::unique_ptr<store::Database> database_;
  store::ObjectStore objects_;
  RecordingNotifier notifier_;
  trust::CertificateAuthority authority_;
  std::unique_ptr<ControlPlane> control_;
};

}  // namespace andon::control
