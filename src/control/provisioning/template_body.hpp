// SPDX-License-Identifier: Apache-2.0
// Room: provisioning. How devices with a claim get a certificate and a place of their own.
// The body of a provisioning template of AWS IoT: Parameters, Mappings, Resources of the types
// AWS::IoT::Thing, Certificate and Policy, DeviceConfiguration; with Ref and the functions Join,
// Select, Split, Sub, FindInMap. Read with limits, then filled in with a device's parameters. What
// it cannot do is refused by name when the template is made. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"

namespace andon::control {

namespace json = base::json;

inline constexpr std::size_t kMostTemplateBodyBytes = 10'240;  // of AWS

// What is done where the thing is there already and has something else.
enum class Override : std::uint8_t { leave, replace, merge, fail };

struct ThingWish {
  std::string name;
  std::string type_name;  // empty: none
  std::map<std::string, std::string> attributes;
  std::vector<std::string> groups;
  Override on_type = Override::leave;
  Override on_attributes = Override::leave;
  Override on_groups = Override::leave;
};

struct CertificateWish {
  std::string id;   // of one that is there
  std::string csr;  // of one that is to be made; one of the two, or neither: the asker's own
  bool is_active = true;
};

struct PolicyWish {
  std::string name;      // of one that is there
  std::string document;  // of one that is to be there under a name made of it
};

// A body, filled in. The keys are the logical ids of what is there.
struct Provisioning {
  std::optional<std::pair<std::string, ThingWish>> thing;
  std::optional<std::pair<std::string, CertificateWish>> certificate;
  std::map<std::string, PolicyWish> policies;
  std::map<std::string, std::string> device_configuration;
};

class TemplateBody {
 public:
  // Throws invalid_argument naming the place, unsupported for what is known and not done here.
  [[nodiscard]] static TemplateBody parse(std::string_view text);

  // `given` are the device's parameters and AWS's own ("AWS::IoT::Certificate::Id"); what the body
  // does not name is left alone. Throws invalid_argument for one that is missing, or for what comes
  // of them.
  [[nodiscard]] Provisioning fill_in(const std::map<std::string, std::string>& given) const;

 private:
  struct Resource {
    std::string id;
    std::string type;
    json::object properties;
    json::object overrides;
  };
  std::map<std::string, std::optional<std::string>> parameters_;  // by name: the default
  json::object mappings_;
  std::vector<Resource> resources_;
  json::object device_configuration_;
};

}  // namespace andon::control
