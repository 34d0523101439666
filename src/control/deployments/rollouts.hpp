// SPDX-License-Identifier: Apache-2.0
// What a deployment does to many devices, in steps: CreateDeployment stores the deployment and an
// open rollout, and answers; each step then queues the job for a few more of the target's devices,
// and in the same transaction leaves word of it in the outbox. A deployment that is over (canceled,
// or superseded) is taken back in the same way. A server that was killed goes on where the last
// step ended. A deployment with a rate goes out at that pace: when the next device is due is stored
// in the transaction that serves the ones before. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/shared/outbox.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

// So many devices at once, in the transaction of the request itself: a small group is done when the
// request is answered.
inline constexpr std::size_t kFirstStep = 100;

// Within the caller's transaction, which has made or ended the deployment just now. `reason` tells
// devices why their jobs are canceled, once it is over.
void open_rollout(store::Transaction& tx, const std::string& deployment_id,
                  std::string_view reason);
// One step of at most `limit` devices; closes the rollout when nothing is left. True where none is
// open after it.
bool step_rollout(store::Transaction& tx, const std::string& deployment_id, std::size_t limit,
                  base::Timestamp now);

class Rollouts {
 public:
  Rollouts(store::Database& database, const base::Clock& clock);

  // One step of one open rollout that is due; what brings a deployment comes before what takes one
  // back. False where none is.
  bool step();

 private:
  store::Database& database_;
  const base::Clock& clock_;
};

}  // namespace andon::control
