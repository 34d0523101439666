// SPDX-License-Identifier: Apache-2.0
#include "job/sandbox/system_calls.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error/error.hpp"

namespace andon::job {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "this processor's name for seccomp is missing here"
#endif

// Other processes, other views of the machine, the kernel itself. io_uring would go around the
// filter.
constexpr long kDenied[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_unshare,
    SYS_setns,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_fanotify_init,
    SYS_quotactl,
    SYS_acct,
    SYS_swapon,
    SYS_swapoff,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_vhangup,
#if defined(__x86_64__)
    SYS_kexec_file_load,
    SYS_iopl,
    SYS_ioperm,
#endif
};

constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
// Bytes put into a terminal's input, and what the console's driver takes.
constexpr std::uint32_t kDeniedControls[] = {TIOCSTI, 0x541C /* TIOCLINUX */};
constexpr std::uint32_t kSocketTypes = 0xF;  // beside it are flags

class Program {
 public:
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void load_argument(std::size_t number) {
    // The lower half, on the processors that this is for.
    load(offsetof(seccomp_data, args) + number * sizeof(std::uint64_t));
  }
  void mask(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
  void answer(std::uint32_t what) { add(BPF_RET | BPF_K, what); }
  void deny(int error) {
    answer(SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA));
  }
  void skip_unless_equal(std::uint32_t value, std::uint8_t skipped) {
    jump(BPF_JEQ, value, 0, skipped);
  }
  void skip_if_equal(std::uint32_t value, std::uint8_t skipped) {
    jump(BPF_JEQ, value, skipped, 0);
  }
  void skip_unless_any(std::uint32_t bits, std::uint8_t skipped) {
    jump(BPF_JSET, bits, 0, skipped);
  }
  void skip_below(std::uint32_t value, std::uint8_t skipped) { jump(BPF_JGE, value, 0, skipped); }

  void install() {
    sock_fprog program{.len = static_cast<unsigned short>(code_.size()), .filter = code_.data()};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
      throw base::system_error("cannot set the filter of system calls", errno);
    }
  }

 private:
  void add(unsigned code, std::uint32_t value) {
    code_.push_back({static_cast<std::uint16_t>(code), 0, 0, value});
  }
  void jump(unsigned how, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | how | BPF_K), if_true, if_false, value});
  }
  std::vector<sock_filter> code_;
};

void deny_calls(Program& program, Affinity affinity) {
  const auto deny = [&program](long number) {
    program.skip_unless_equal(static_cast<std::uint32_t>(number), 1);
    program.deny(EPERM);
  };
  for (const long number : kDenied) deny(number);
  if (affinity == Affinity::fixed) deny(SYS_sched_setaffinity);
  // Its flags are in memory, out of a filter's sight; the C library falls back to clone.
  program.skip_unless_equal(SYS_clone3, 1);
  program.deny(ENOSYS);
}

void deny_arguments(Program& program, Network network) {
  program.skip_unless_equal(SYS_clone, 4);
  program.load_argument(0);
  program.skip_unless_any(kNewNamespaces, 1);
  program.deny(EPERM);
  program.answer(SECCOMP_RET_ALLOW);

  program.skip_unless_equal(SYS_ioctl, 6);
  program.load_argument(1);
  for (const std::uint32_t control : kDeniedControls) {
    program.skip_unless_equal(control, 1);
    program.deny(EPERM);
  }
  program.answer(SECCOMP_RET_ALLOW);

  // The last one: what is no socket is allowed.
  program.skip_if_equal(SYS_socket, 1);
  program.answer(SECCOMP_RET_ALLOW);
  program.load_argument(0);
  program.skip_unless_equal(AF_UNIX, 1);
  program.answer(SECCOMP_RET_ALLOW);
  program.skip_unless_equal(AF_NETLINK, 1);
  program.answer(SECCOMP_RET_ALLOW);
  program.skip_if_equal(AF_INET, 2);
  program.skip_if_equal(AF_INET6, 1);
  program.deny(EAFNOSUPPORT);
  if (network == Network::of_the_machine) {
    program.load_argument(1);
    program.mask(kSocketTypes);
    program.skip_if_equal(SOCK_STREAM, 1);
    program.deny(EPERM);
    // Not SCTP or MPTCP, which are streams, too.
    program.load_argument(2);
    program.skip_if_equal(0, 2);
    program.skip_if_equal(IPPROTO_TCP, 1);
    program.deny(EPERM);
  }
  program.answer(SECCOMP_RET_ALLOW);
}

}  // namespace

void restrict_system_calls(Network network, Affinity affinity) {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.skip_if_equal(kArchitecture, 1);
  program.answer(SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  // The x32 form of each call has numbers of its own.
  constexpr std::uint32_t kX32 = 0x40000000;
  program.skip_below(kX32, 1);
  program.deny(ENOSYS);
#endif
  deny_calls(program, affinity);
  deny_arguments(program, network);
  program.install();
}

}  // namespace andon::job
