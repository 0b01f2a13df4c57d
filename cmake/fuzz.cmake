# libFuzzer programs, one of each fuzz/fuzz_*.c: fuzz_net_arp.c makes net-arp, linked to the libraries with everything on.
# The folder's other files are an archive. Seeds: fuzz/corpus/NAME/; dictionary: fuzz/NAME.dict, else that of the name's
# first word, fuzz/net.dict. As a test each runs for MOTE_FUZZ_SECONDS, on one core; what makes it fail lies in
# BUILD/findings/NAME-*, and is replayed by `BUILD/NAME FILE`.
set(MOTE_FUZZ_SECONDS 60 CACHE STRING "how long each target runs as a test")

enable_testing()
file(GLOB helpers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} fuzz/*.c)
list(FILTER helpers EXCLUDE REGEX "/fuzz_[^/]*$")
add_library(fuzz-helpers INTERFACE)
if(helpers)
  add_library(fuzz-archive STATIC ${helpers})
  target_link_libraries(fuzz-archive PUBLIC net-full mqtt-full settings-full)
  target_link_libraries(fuzz-helpers INTERFACE fuzz-archive)
endif()
target_link_libraries(fuzz-helpers INTERFACE net-full mqtt-full settings-full)

file(GLOB targets CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} fuzz/fuzz_*.c)
foreach(source IN LISTS targets)
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" name ${name})
  string(REPLACE "_" "-" name ${name})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE fuzz-helpers)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz-${name}
    COMMAND sh ${CMAKE_SOURCE_DIR}/fuzz/run.sh ${CMAKE_BINARY_DIR} ${name} ${MOTE_FUZZ_SECONDS})
  math(EXPR timeout "${MOTE_FUZZ_SECONDS} * 2 + 300")
  set_tests_properties(fuzz-${name} PROPERTIES TIMEOUT ${timeout})
endforeach()
