// SPDX-License-Identifier: Apache-2.0
// What the commands of this room share. Plain values.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/terminal/server_choice.hpp"

namespace andon::cli {

struct EventCommandOptions {
  ServerChoice server;
  std::string name;
  std::string bus;
  std::string pattern;
  std::string event;
  std::string schedule;
  std::string zone;
  std::string group = "default";
  std::vector<std::string> targets;
  std::string role;
  std::string input;
  std::string dead_letter;
  std::string description;
  std::string secret;
  std::string url;
  std::string ref;
  int seconds = 60;
  bool disabled = false;
  bool once = false;
  bool json = false;
};

// The commands of one noun.
struct EventCommands {
  using Work = int (*)(const EventCommandOptions&);
  CLI::App* group;
  std::function<int()>& selected;
  std::shared_ptr<EventCommandOptions> options;

  CLI::App* add(const std::string& name, const std::string& help, Work work) const;
  CLI::App* add_named(const std::string& name, const std::string& help, const std::string& which,
                      Work work) const;
};

void add_rule_commands(const EventCommands& commands);
void add_schedule_commands(const EventCommands& commands);
void add_webhook_commands(const EventCommands& commands);
void add_repository_commands(const EventCommands& commands);

}  // namespace andon::cli
