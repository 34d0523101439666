// SPDX-License-Identifier: Apache-2.0
// Owners of what OpenSSL has made: std::unique_ptr<X509, Freer<X509_free>>.
#pragma once

namespace andon::trust {

template <auto free_function>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};

}  // namespace andon::trust
