// SPDX-License-Identifier: Apache-2.0
#include "edge/configuration/withheld_secrets.hpp"

#include "base/json/json.hpp"

namespace andon::edge {

bool withhold_secrets(std::string_view component, base::json::object& configuration) {
  return component == "aws.greengrass.crypto.Pkcs11Provider" && configuration.erase("userPin") != 0;
}

}  // namespace andon::edge
