// SPDX-License-Identifier: Apache-2.0
// The control plane's short names for what it names as devices do (fleet/names).
#pragma once

#include "fleet/names/arn.hpp"

namespace andon::control {

using fleet::Arns;
using fleet::is_thing_name;
using fleet::parse_component_arn;
using fleet::parse_configuration_arn;
using fleet::parse_target_arn;
using fleet::parse_target_key;
using fleet::Target;

}  // namespace andon::control
