// SPDX-License-Identifier: Apache-2.0
// Blocking work from within a coroutine of the I/O thread. Internal to wire: includes Asio.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <type_traits>
#include <utility>

namespace andon::wire {

// Runs blocking work on a pool and comes back to the I/O thread with its result.
template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work>> run_on(boost::asio::thread_pool& pool,
                                                          Work work) {
  auto on_pool = [&work]() -> boost::asio::awaitable<std::invoke_result_t<Work>> {
    co_return work();
  };
  co_return co_await boost::asio::co_spawn(pool.get_executor(), std::move(on_pool),
                                           boost::asio::use_awaitable);
}

}  // namespace andon::wire
