// SPDX-License-Identifier: Apache-2.0
#include "storage/import/helper/sandbox.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

// The address sanitizer reserves terabytes of address space, and calls the
// system more.
#if defined(__SANITIZE_ADDRESS__)
#define VARKEEP_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VARKEEP_ADDRESS_SANITIZER 1
#endif
#endif

namespace varkeep::storage {
namespace {

constexpr uint32_t kWholeInt = 0xFFFFFFFF;

absl::Status SystemError(absl::string_view call, int error) {
  return absl::InternalError(
      absl::StrCat(call, " failed: ", std::generic_category().message(error)));
}

absl::Status Limit(__rlimit_resource_t resource, int64_t soft, int64_t hard) {
  const rlimit limit{static_cast<rlim_t>(soft), static_cast<rlim_t>(hard)};
  if (setrlimit(resource, &limit) != 0) return SystemError("setrlimit", errno);
  return absl::OkStatus();
}
absl::Status Limit(__rlimit_resource_t resource, int64_t value) {
  return Limit(resource, value, value);
}

struct FilterRelease {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterRelease>;

absl::Status Allow(const Filter& filter, int call,
                   std::initializer_list<scmp_arg_cmp> conditions = {}) {
  const int error = seccomp_rule_add_array(
      filter.get(), SCMP_ACT_ALLOW, call,
      static_cast<unsigned>(conditions.size()), conditions.begin());
  if (error != 0) return SystemError("seccomp_rule_add", -error);
  return absl::OkStatus();
}

// The first argument, an int, is `fd`.
scmp_arg_cmp OnlyOn(int fd) {
  return SCMP_A0(SCMP_CMP_MASKED_EQ, kWholeInt, static_cast<unsigned>(fd));
}

// The third argument, of mmap and mprotect, does not make memory executable.
scmp_arg_cmp NotExecutable() {
  return SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
}

absl::Status AllowWhatReadingNeeds(const Filter& filter, int file,
                                   int results) {
  RETURN_IF_ERROR(Allow(filter, SCMP_SYS(pread64), {OnlyOn(file)}));
  RETURN_IF_ERROR(Allow(filter, SCMP_SYS(write), {OnlyOn(results)}));
  RETURN_IF_ERROR(
      Allow(filter, SCMP_SYS(mmap),
            {NotExecutable(),
             SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)}));
  RETURN_IF_ERROR(Allow(filter, SCMP_SYS(mprotect), {NotExecutable()}));
  // Memory, locks within the process, the time, and the end.
  for (int call :
       {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday), SCMP_SYS(sched_yield), SCMP_SYS(exit),
        SCMP_SYS(exit_group)}) {
    RETURN_IF_ERROR(Allow(filter, call));
  }
#ifdef VARKEEP_ADDRESS_SANITIZER
  // It asks where the stack is before every call that does not return.
  RETURN_IF_ERROR(Allow(filter, SCMP_SYS(sigaltstack)));
#endif
  return absl::OkStatus();
}

}  // namespace

absl::Status LimitResources(int64_t memory_bytes, int64_t cpu_seconds) {
#ifndef VARKEEP_ADDRESS_SANITIZER
  RETURN_IF_ERROR(Limit(RLIMIT_AS, memory_bytes));
#else
  static_cast<void>(memory_bytes);
#endif
  // The soft limit comes with a signal that says which one it was.
  RETURN_IF_ERROR(Limit(RLIMIT_CPU, cpu_seconds, cpu_seconds + 1));
  RETURN_IF_ERROR(Limit(RLIMIT_FSIZE, 0));
  RETURN_IF_ERROR(Limit(RLIMIT_NOFILE, 0));
  return Limit(RLIMIT_CORE, 0);
}

absl::Status EnterSandbox(int file, int results) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return SystemError("prctl", errno);
  }
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (filter == nullptr) return absl::InternalError("seccomp_init failed");
  RETURN_IF_ERROR(AllowWhatReadingNeeds(filter, file, results));
  const int error = seccomp_load(filter.get());
  if (error != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this system offers no seccomp, without which foreign files are not "
        "read: ",
        std::generic_category().message(-error)));
  }
  return absl::OkStatus();
}

}  // namespace varkeep::storage
