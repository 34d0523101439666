// SPDX-License-Identifier: Apache-2.0
#include "edge/run/supervisor.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/log/log.hpp"

namespace andon::edge {
namespace {

const ComponentSpec* find_spec(const std::vector<ComponentSpec>& specs, const std::string& name) {
  const auto found = std::ranges::find(specs, name, &ComponentSpec::name);
  return found == specs.end() ? nullptr : &*found;
}

// Between SIGTERM and SIGKILL for what nobody wants any more.
constexpr std::chrono::milliseconds kStrayGrace{5000};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool has_service(const ComponentSpec& spec) {
  return std::ranges::any_of(std::array{recipe::Step::startup, recipe::Step::run},
                             [&spec](recipe::Step step) {
                               const recipe::LifecycleStep* const found = spec.lifecycle.find(step);
                               return found != nullptr && !found->script.empty();
                             });
}

}  // namespace

std::set<std::string> components_to_stop(const std::vector<ComponentSpec>& running,
                                         const std::vector<ComponentSpec>& target,
                                         const std::set<std::string>& unhealthy) {
  std::set<std::string> touched = unhealthy;
  for (const ComponentSpec& spec : target) {
    const ComponentSpec* old = find_spec(running, spec.name);
    if (old == nullptr || old->identity != spec.identity) touched.insert(spec.name);
  }
  for (const ComponentSpec& spec : running) {
    if (find_spec(target, spec.name) == nullptr) touched.insert(spec.name);
  }
  // What depends HARD on a touched one is touched too, by the old or the new recipe.
  for (bool grew = true; grew;) {
    grew = false;
    for (const std::vector<ComponentSpec>* specs : {&running, &target}) {
      for (const ComponentSpec& spec : *specs) {
        const bool depends = std::ranges::any_of(
            spec.hard_dependencies, [&](const auto& name) { return touched.contains(name); });
        if (depends) grew |= touched.insert(spec.name).second;
      }
    }
  }
  std::set<std::string> to_stop;
  for (const ComponentSpec& spec : running) {
    if (touched.contains(spec.name)) to_stop.insert(spec.name);
  }
  return to_stop;
}

Supervisor::Supervisor(EventLoop& loop, ProcessJournal& journal, ComponentHost& host,
                       std::function<void(const std::string&)> on_change)
    : loop_(loop), journal_(journal), host_(host), on_change_(std::move(on_change)) {}

Supervisor::~Supervisor() {
  *alive_ = false;
  loop_.cancel(deadline_);
}

void Supervisor::change(std::vector<ComponentSpec> target, const std::set<std::string>& restart,
                        std::chrono::milliseconds limit,
                        std::function<void(const ChangeResult&)> done) {
  std::vector<ComponentSpec> running;
  if (!std::exchange(has_taken_up_, true)) {
    take_up(target);
    // Of what has no process there is nothing to take up: it is no reason to stop who depends on
    // it, as long as it is what it was.
    std::ranges::copy_if(target, std::back_inserter(running), [this](const ComponentSpec& spec) {
      return !components_.contains(spec.name) && !has_service(spec) && host_.is_installed(spec);
    });
  }
  std::set<std::string> unhealthy = restart;
  unhealthy.merge(std::exchange(held_, {}));
  for (const auto& [name, component] : components_) {
    running.push_back(component->spec());
    if (component->state() == ComponentState::broken ||
        component->state() == ComponentState::errored) {
      unhealthy.insert(name);
    }
  }
  // One that an earlier change is still stopping must end before it can start again.
  std::set<std::string> to_stop = components_to_stop(running, target, unhealthy);
  std::erase_if(to_stop, [this](const auto& name) { return !components_.contains(name); });
  for (const std::string& name : to_stop_) {
    if (components_.contains(name)) to_stop.insert(name);
  }
  to_stop_ = std::move(to_stop);
  stay_down(target);
  host_.note_held(held_);
  for (const ComponentSpec& spec : target) {
    Component* const component = to_stop_.contains(spec.name) ? nullptr : find(spec.name);
    if (component != nullptr) component->limit_to(spec.limits);
  }
  restarting_.clear();
  target_ = std::move(target);
  done_ = std::move(done);
  loop_.cancel(deadline_);
  deadline_ = loop_.after(limit, [this, limit] {
    deadline_ = 0;
    ChangeResult late;
    late.reason =
        "the components were not all running after " + std::to_string(limit.count() / 1000) + " s";
    late.status_code = "RUN_TIMEOUT";
    for (const auto& [name, component] : components_) {
      if (!component->settled()) {
        late.component = name;
        late.reason += "; " + name + " is " + std::string(to_string(component->state()));
        break;
      }
    }
    finish(late);
  });
  wake();
}

void Supervisor::stay_down(const std::vector<ComponentSpec>& target) {
  for (const std::string& name : std::exchange(held_at_start_, {})) {
    const ComponentSpec* const spec = find_spec(target, name);
    if (spec == nullptr) continue;
    held_.insert(name);
    if (components_.contains(name)) {  // it had not ended when its agent did
      to_stop_.insert(name);
      continue;
    }
    auto component = std::make_unique<Component>(
        loop_, journal_, host_, *spec, [this](Component& one) { note_change(one.spec().name); });
    component->stay_down();
    components_.emplace(name, std::move(component));
  }
}

// As what it was started, so that the change stops what is wanted otherwise by now.
void Supervisor::take_up(const std::vector<ComponentSpec>& target) {
  for (KeptRecord& record : journal_.kept()) {
    const ComponentSpec* const wanted = find_spec(target, record.component);
    if (wanted == nullptr) {
      end_stray(std::move(record));
      continue;
    }
    ComponentSpec spec = *wanted;
    spec.version = record.version;
    spec.identity = record.identity;
    auto component = std::make_unique<Component>(
        loop_, journal_, host_, spec, [this](Component& one) { note_change(one.spec().name); });
    Component& taken = *component;
    components_.emplace(spec.name, std::move(component));
    taken.take_up(std::move(record));
  }
}

void Supervisor::end_stray(KeptRecord record) {
  const std::string name = record.component;
  base::log_info("ending a component that an earlier agent has left and nobody wants",
                 {{"component", name}});
  auto& stray = strays_[name];
  stray = std::make_unique<KeptProcess>(loop_, journal_, std::move(record),
                                        [this, name](const ProcessEnd&) {
                                          loop_.post([this, name, alive = alive_] {
                                            if (*alive) strays_.erase(name);
                                          });
                                        });
  stray->terminate(kStrayGrace);
}

void Supervisor::leave() {
  for (const auto& [name, component] : components_) component->leave();
}

void Supervisor::stop_all(std::function<void()> done) {
  done_ = {};
  loop_.cancel(std::exchange(deadline_, 0));
  target_.clear();
  restarting_.clear();
  held_.clear();
  for (const auto& [name, component] : components_) to_stop_.insert(name);
  all_stopped_ = std::move(done);
  wake();
}

bool Supervisor::restart(const std::string& name) {
  if (!components_.contains(name)) return false;
  if (done_) return true;  // a change is under way and will start it
  std::vector<ComponentSpec> running;
  for (const auto& [other, component] : components_) running.push_back(component->spec());
  for (const std::string& stopped : components_to_stop(running, running, {name})) {
    to_stop_.insert(stopped);
    restarting_.insert(stopped);
    held_.erase(stopped);
  }
  host_.note_held(held_);
  wake();
  return true;
}

bool Supervisor::hold(const std::string& name) {
  if (!components_.contains(name) || done_) return false;
  std::vector<ComponentSpec> running;
  for (const auto& [other, component] : components_) running.push_back(component->spec());
  for (const std::string& stopped : components_to_stop(running, running, {name})) {
    to_stop_.insert(stopped);
    restarting_.erase(stopped);
    held_.insert(stopped);
  }
  host_.note_held(held_);
  wake();
  return true;
}

void Supervisor::uninstall(std::vector<ComponentSpec> removed, std::function<void()> done) {
  const auto left = std::make_shared<std::size_t>(removed.size());
  if (removed.empty()) return done();
  const auto shared_done = std::make_shared<std::function<void()>>(std::move(done));
  for (ComponentSpec& spec : removed) {
    uninstalling_.push_back(
        std::make_unique<Component>(loop_, journal_, host_, std::move(spec), [](Component&) {}));
    Component* component = uninstalling_.back().get();
    component->uninstall([this, component, left, shared_done, alive = alive_] {
      loop_.post([this, component, left, shared_done, alive] {
        if (!*alive) return;
        std::erase_if(uninstalling_, [&](const auto& one) { return one.get() == component; });
        if (--*left == 0) (*shared_done)();
      });
    });
  }
}

const Component* Supervisor::find(const std::string& name) const {
  const auto found = components_.find(name);
  return found == components_.end() ? nullptr : found->second.get();
}

Component* Supervisor::find(const std::string& name) {
  const auto found = components_.find(name);
  return found == components_.end() ? nullptr : found->second.get();
}

std::vector<const Component*> Supervisor::components() const {
  std::vector<const Component*> all;
  for (const auto& [name, component] : components_) all.push_back(component.get());
  return all;
}

void Supervisor::note_change(const std::string& name) {
  changed_.insert(name);
  wake();
}

void Supervisor::wake() {
  if (std::exchange(woken_, true)) return;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    woken_ = false;
    advance();
  });
}

void Supervisor::advance() {
  for (const std::string& name : std::exchange(changed_, {})) on_change_(name);
  stop_next();
  if (to_stop_.empty()) {
    if (all_stopped_) return std::exchange(all_stopped_, {})();
    start_next();
  }
  if (!done_) return;
  for (const auto& [name, component] : components_) {
    if (component->state() == ComponentState::broken && !to_stop_.contains(name)) {
      return finish({false, name, component->reason(), component->status_code(),
                     component->failed_in_bootstrap()});
    }
  }
  const bool all_settled =
      to_stop_.empty() && std::ranges::all_of(target_, [this](const ComponentSpec& spec) {
        const Component* component = find(spec.name);
        return held_.contains(spec.name) || (component != nullptr && component->settled());
      });
  if (all_settled) finish({true, {}, {}, {}, false});
}

void Supervisor::stop_next() {
  for (auto name = to_stop_.begin(); name != to_stop_.end();) {
    const auto found = components_.find(*name);
    if (found == components_.end()) {
      name = to_stop_.erase(name);
      continue;
    }
    Component& component = *found->second;
    const bool needed = std::ranges::any_of(to_stop_, [&](const std::string& other) {
      const Component* dependent = find(other);
      return dependent != nullptr && contains(dependent->spec().hard_dependencies, *name);
    });
    if (needed) {
      ++name;
      continue;
    }
    component.stop();
    if (!component.stopped()) {
      ++name;
      continue;
    }
    if (held_.contains(*name) && !all_stopped_) {  // it stays, and is seen not to run
      to_stop_.erase(name);
      name = to_stop_.begin();
      continue;
    }
    if (restarting_.contains(*name) && !done_) target_.push_back(component.spec());
    components_.erase(found);
    to_stop_.erase(name);
    // Those that this one depends on may be stopped now: look again from the start.
    name = to_stop_.begin();
  }
}

void Supervisor::start_next() {
  restarting_.clear();
  for (const ComponentSpec& spec : target_) {
    if (components_.contains(spec.name)) continue;
    strays_.erase(spec.name);
    auto component = std::make_unique<Component>(
        loop_, journal_, host_, spec, [this](Component& one) { note_change(one.spec().name); });
    Component& started = *component;
    components_.emplace(spec.name, std::move(component));
    started.start();
  }
  if (!done_) target_.clear();
  for (const auto& [name, component] : components_) {
    if (dependencies_up(*component)) component->allow_start();
  }
}

bool Supervisor::dependencies_up(const Component& component) const {
  return std::ranges::all_of(component.spec().hard_dependencies, [this](const std::string& name) {
    const Component* dependency = find(name);
    return dependency == nullptr || dependency->is_up();
  });
}

void Supervisor::finish(const ChangeResult& result) {
  loop_.cancel(std::exchange(deadline_, 0));
  target_.clear();
  const auto done = std::exchange(done_, {});
  if (done) done(result);
}

}  // namespace andon::edge
