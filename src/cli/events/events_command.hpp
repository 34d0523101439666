// SPDX-License-Identifier: Apache-2.0
// Room: events. `andon rule`, `andon schedule`, `andon webhook`: what became of a rule's events,
// the schedules that there are, and the doors for pushes; all else is done with AWS's own tools.
// Called by main before options are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace andon::cli {

void add_events_commands(CLI::App& app, std::function<int()>& selected);

}  // namespace andon::cli
