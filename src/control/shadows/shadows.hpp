// SPDX-License-Identifier: Apache-2.0
// Room: shadows. Shadows of things as the server keeps them (fleet/shadows/shadow.hpp), classic and
// named, for things that are registered and others, as AWS IoT does. Where a deployment is
// concerned the shadow is another: deployments/deployment_shadow.hpp.
//
// Any thread; each call is one transaction. What is told on the shadow's topics goes out after it:
// a message that is lost does no harm, for whoever follows a shadow gets it anew when it connects.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/notifier.hpp"
#include "control/shared/page.hpp"
#include "fleet/names/topic.hpp"
#include "fleet/shadows/shadow.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

namespace json = base::json;

class Shadows {
 public:
  struct Limits {
    std::int64_t of_thing = 200;
    std::int64_t all = 200'000;
    std::chrono::hours keeps_version{48};  // after it was deleted
  };
  Shadows(store::Database& database, Notifier& notifier, const base::Clock& clock)
      : Shadows(database, notifier, clock, Limits{}) {}
  Shadows(store::Database& database, Notifier& notifier, const base::Clock& clock, Limits limits);

  // As who asked over HTTP is answered: the payload of .../accepted. Errors as the library's, and
  // invalid_argument for names that no thing and no shadow has. An update and a deletion are told
  // on the shadow's topics; get is not.
  [[nodiscard]] json::object get(const std::string& thing, const std::string& name) const;
  json::object update(const std::string& thing, const std::string& name, std::string_view payload);
  json::object remove(const std::string& thing, const std::string& name);
  // Names of those that are there, in order, without the classic one.
  [[nodiscard]] Page<std::string> names(const std::string& thing, const PageRequest& page) const;

  // A message of MQTT on one of the shadow's topics, answered there. Does not throw for what is
  // wrong with it.
  void take(const fleet::DeviceTopic& topic, std::string_view payload);

  // Rows that are there.
  [[nodiscard]] std::int64_t count() const { return count_.load(); }

 private:
  [[nodiscard]] fleet::ShadowStep do_update(const std::string& thing, const std::string& name,
                                            const json::object& request);
  [[nodiscard]] fleet::ShadowStep do_remove(const std::string& thing, const std::string& name,
                                            const json::object& request);
  // For one more; answers how many deleted ones went.
  std::int64_t make_room(store::Transaction& tx, const std::string& thing) const;
  void tell(const std::string& topic, const json::object& message) const;
  void tell(const std::string& thing, const std::string& name, std::string_view verb,
            const fleet::ShadowStep& step) const;
  [[nodiscard]] std::int64_t now_s() const;

  store::Database& database_;
  Notifier& notifier_;
  const base::Clock& clock_;
  const Limits limits_;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace andon::control
