# The host's side: unit tests of the libraries and the virtual board.
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(SLIRP REQUIRED IMPORTED_TARGET slirp)
pkg_check_modules(DW REQUIRED IMPORTED_TARGET libdw libelf)

enable_testing()
# Programs built for the Cortex-M4, which tests run on the virtual board.
set(MOTE_FIRMWARE_DIR ${CMAKE_SOURCE_DIR}/build/firmware-release CACHE PATH "where the firmware was built")

# The virtual board: a library, so that tests can step it, and its command line.
file(GLOB emulator_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  emulator/cpu/*.c emulator/board/*.c emulator/peripheral/*.c emulator/ethernet/*.c
  emulator/network/*.c emulator/host/*.c emulator/observe/*.c)
list(REMOVE_ITEM emulator_sources emulator/host/main.c)
if(emulator_sources)
  add_library(emulator STATIC ${emulator_sources})
  target_include_directories(emulator PUBLIC emulator)
  target_link_libraries(emulator PUBLIC mote_options PkgConfig::SLIRP PkgConfig::DW m)
  # The model's floats are the chip's: round at every operation.
  target_compile_options(emulator PRIVATE -ffp-contract=off -frounding-math)
  if(EXISTS ${CMAKE_SOURCE_DIR}/emulator/host/main.c)
    add_executable(virtual-board emulator/host/main.c)
    target_link_libraries(virtual-board PRIVATE emulator)
  endif()
endif()

# tests/FOLDER/test_*.c: one cmocka program each, PREFIX-NAME, linked to the library under test. The folder's other files are
# an archive, so that a program takes only what it calls.
function(mote_tests_as prefix folder)
  file(GLOB tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/${folder}/test_*.c)
  file(GLOB helpers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/${folder}/*.c)
  list(FILTER helpers EXCLUDE REGEX "/test_[^/]*$")
  set(archive)
  if(helpers)
    set(archive ${prefix}-helpers)
    add_library(${archive} STATIC ${helpers})
    target_include_directories(${archive} PUBLIC tests/${folder})
    target_link_libraries(${archive} PUBLIC ${ARGN} PkgConfig::CMOCKA)
  endif()
  foreach(source IN LISTS tests)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "${prefix}-" name ${name})
    add_executable(${name} ${source})
    target_include_directories(${name} PRIVATE tests/${folder})
    target_compile_definitions(${name} PRIVATE
      MOTE_FIRMWARE_DIR="${MOTE_FIRMWARE_DIR}" MOTE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE ${archive} ${ARGN} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 600)
  endforeach()
endfunction()

function(mote_tests folder)
  mote_tests_as(${folder} ${folder} ${ARGN})
endfunction()

mote_tests(net net)
mote_tests_as(net-full net net-full)

# The standard stack as a server too, so that the simulation has both ends of it.
get_target_property(net_sources net SOURCES)
add_library(net-server STATIC ${net_sources})
target_compile_definitions(net-server PUBLIC NET_WITH_TCP_LISTEN=1)
target_link_libraries(net-server PUBLIC mote_options)
file(GLOB simulation CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/net/sim*.c)
add_executable(net-server-sim_connections tests/net/test_sim_connections.c ${simulation})
target_include_directories(net-server-sim_connections PRIVATE tests/net)
target_link_libraries(net-server-sim_connections PRIVATE net-server PkgConfig::CMOCKA)
add_test(NAME net-server-sim_connections COMMAND net-server-sim_connections)
set_tests_properties(net-server-sim_connections PROPERTIES TIMEOUT 600)
# The runner of packet scripts (docs/packet-scripts.md), which are test cases each.
file(GLOB packet_runner CONFIGURE_DEPENDS tests/net/packets/*.c)
foreach(program IN ITEMS net-packets net-full-packets)
  target_sources(${program} PRIVATE ${packet_runner})
endforeach()
mote_tests(mqtt mqtt)
mote_tests_as(mqtt-full mqtt mqtt-full)
mote_tests(integration net-full-helpers net-full mqtt-full) # the link of the simulations
if(NOT MOTE_SANITIZE)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME mqtt-conformance-table COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/cmake/conformance.py)
endif()
mote_tests(settings settings)
mote_tests(log log)
if(TARGET emulator)
  mote_tests(emulator emulator)
endif()

# mote pub, mote sub (docs/mote-tool.md). Brokers have been seen to overrun the Receive Maximum: it is a host, with room.
# Of its own it has no more in flight than Mosquitto takes of a 3.1.1 client; what is above that it acknowledges and drops.
file(GLOB tool_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tools/mote/*.c)
get_target_property(engine_sources mqtt SOURCES)
add_executable(mote-tool ${tool_sources} ${engine_sources} target/posix/socket_transport.c target/posix/argument.c)
target_compile_definitions(mote-tool PRIVATE MQTT_FULL=1 MQTT_INFLIGHT_MAX=20 MQTT_RECEIVE_MAX=4096
  MQTT_RECEIVE_MAX_ANNOUNCED=20)
target_link_libraries(mote-tool PRIVATE mote_options)
set_target_properties(mote-tool PROPERTIES OUTPUT_NAME mote)

# The kernel in a process, in virtual time, and the same programs for it (tests/kernel/board.h).
mote_library(kernel)
file(GLOB posix_port CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} target/posix/kernel_port*.c)
target_sources(kernel PRIVATE ${posix_port})
file(GLOB programs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/kernel/prog_*.c)
foreach(program IN LISTS programs)
  get_filename_component(name ${program} NAME_WE)
  string(REPLACE "prog_" "posix-kernel-" name ${name})
  add_executable(${name} ${program})
  target_compile_definitions(${name} PRIVATE BOARD_POSIX)
  target_link_libraries(${name} PRIVATE kernel)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 60)
endforeach()

# Parts of the application that need no board.
add_library(app-parts STATIC app/crash_storm.c app/telemetry_tasks.c app/wall_clock.c)
target_compile_definitions(app-parts PUBLIC MOTE_FULL=1)
target_link_libraries(app-parts PUBLIC log mote_options)
mote_tests(app app-parts)

# Network devices of a process, and the whole firmware as one, in both extents (docs/posix.md).
if(TARGET emulator)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB posix_devices CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} target/posix/*.c)
  list(FILTER posix_devices EXCLUDE REGEX "/(kernel_port|socket_transport)[^/]*$")
  file(GLOB posix_firmware CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} app/*.c target/posix/board/*.c)
  list(REMOVE_ITEM posix_firmware app/config.c)
  set(config_header ${CMAKE_BINARY_DIR}/config/mote-posix/config_values.h)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/config/mote-posix)
  add_custom_target(mote-posix-config BYPRODUCTS ${config_header}
    COMMAND sh ${CMAKE_SOURCE_DIR}/app/configure.sh ${config_header} VERBATIM)

  set(tests-full UserMode.test_main_job Tap.test_time_server VirtualTime Alone) # probing for addresses, it takes its time to connect
  foreach(extent "" "-full")
    add_library(posix${extent} STATIC ${posix_devices})
    target_link_libraries(posix${extent} PUBLIC net${extent} emulator)

    add_executable(mote-posix${extent} ${posix_firmware})
    # The headers that a process has instead of the chip's come first.
    target_include_directories(mote-posix${extent} BEFORE PRIVATE target/posix/instead)
    target_include_directories(mote-posix${extent} PRIVATE ${CMAKE_BINARY_DIR}/config/mote-posix)
    target_link_libraries(mote-posix${extent} PRIVATE kernel settings${extent} mqtt${extent} log posix${extent})
    target_link_options(mote-posix${extent} PRIVATE -Wl,--wrap=main)
    add_dependencies(mote-posix${extent} mote-posix-config)

    add_test(NAME posix-mote${extent} COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/posix/test_mote.py
      $<TARGET_FILE:mote-posix${extent}> ${tests${extent}})
    set_tests_properties(posix-mote${extent} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)

    # target/posix/programs: `net` as a host of its own.
    add_executable(net-peer${extent} target/posix/programs/net_peer.c)
    target_link_libraries(net-peer${extent} PRIVATE posix${extent})
  endforeach()
  target_compile_definitions(mote-posix-full PRIVATE MOTE_FULL=1)

  # A bad cable between two networks.
  add_executable(tap-shim target/posix/programs/tap_shim.c)
  target_link_libraries(tap-shim PRIVATE posix)
  add_test(NAME posix-programs COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/posix/test_programs.py
    $<TARGET_FILE:net-peer> $<TARGET_FILE:tap-shim> $<TARGET_FILE:net-peer-full>)
  set_tests_properties(posix-programs PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)

  # The stack as a server, for tests/system/test_linux_peer.py.
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/net/host/*.c)
  add_executable(net-host ${sources})
  target_link_libraries(net-host PRIVATE posix-full)
  if(MOTE_SANITIZE) # what of it is no firmware; all of it is a system test
    add_test(NAME system-linux_peer COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/system/test_linux_peer.py
      $<TARGET_FILE:virtual-board> ${MOTE_FIRMWARE_DIR} Services SmallBuffers Floods)
    set_tests_properties(system-linux_peer PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)
  endif()

  mote_tests(posix posix)
endif()

# The rest runs programs of the Cortex-M4 or whole systems: once, not again under the sanitizers.
if(TARGET virtual-board AND NOT MOTE_SANITIZE)
  # tests/FOLDER/prog_*.c, built by cmake/firmware.cmake: semihosting prints and gives the exit status.
  # A line `// board: OPTIONS` adds options of the virtual board.
  foreach(folder kernel target)
    file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/prog_*.c)
    foreach(program IN LISTS programs)
      get_filename_component(name ${program} NAME_WE)
      string(REPLACE "prog_" "${folder}-" name ${name})
      file(STRINGS ${program} options REGEX "^// board: ")
      string(REGEX REPLACE "^// board: " "" options "${options}")
      separate_arguments(options UNIX_COMMAND "${options}")
      if(NOT "--net" IN_LIST options)
        list(APPEND options --net none)
      endif()
      add_test(NAME board-${name}
        COMMAND virtual-board --timeout 600 ${options} ${MOTE_FIRMWARE_DIR}/${name}.elf)
      set_tests_properties(board-${name} PROPERTIES TIMEOUT 600)
    endforeach()
  endforeach()

  add_test(NAME kernel-must-not-compile
    COMMAND sh ${CMAKE_SOURCE_DIR}/tests/must-not-compile/run.sh arm-none-eabi-gcc
      -std=gnu17 -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=picolibc.specs -O2
      -Wall -Wextra -I${CMAKE_SOURCE_DIR} -I${CMAKE_SOURCE_DIR}/target)

  # Instruction counts of bench/kernel.c against their budgets.
  add_executable(kernel-figures tests/kernel/host/figures.c tests/kernel/host/stepper.c)
  target_link_libraries(kernel-figures PRIVATE emulator)
  add_test(NAME kernel-figures COMMAND kernel-figures ${MOTE_FIRMWARE_DIR}/bench-kernel.elf)

  # An interrupt after each single instruction of the kernel's paths.
  add_executable(kernel-preemption tests/kernel/host/preemption.c tests/kernel/host/stepper.c)
  target_link_libraries(kernel-preemption PRIVATE emulator)
  add_test(NAME kernel-preemption COMMAND kernel-preemption ${MOTE_FIRMWARE_DIR}/kernel-preempt.elf)
  add_test(NAME kernel-preemption-fast COMMAND kernel-preemption ${MOTE_FIRMWARE_DIR}/kernel-preempt-fast.elf)

  # For make schedule.
  add_executable(kernel-measure tests/kernel/host/measure.c)
  target_link_libraries(kernel-measure PRIVATE emulator)

  add_test(NAME firmware-stack COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/stack.sh mote mote-full)
  set_tests_properties(kernel-preemption kernel-preemption-fast firmware-stack PROPERTIES TIMEOUT 600)

  # The kernel's programs on another CPU model. Exit status 77: QEMU is not installed.
  add_test(NAME kernel-qemu
    COMMAND sh ${CMAKE_SOURCE_DIR}/tests/kernel/qemu/run.sh ${CMAKE_BINARY_DIR}/qemu)
  set_tests_properties(kernel-qemu PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)

  # The kernel's tools, its size, and its document as a newcomer takes it.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  foreach(name stack_bound schedule size document)
    set(board)
    if(name STREQUAL document)
      set(board $<TARGET_FILE:virtual-board>)
    endif()
    add_test(NAME kernel-${name}
      COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/kernel/tools/test_${name}.py ${board})
    set_tests_properties(kernel-${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
  endforeach()

  # What README.md and docs/ say in figures.
  add_test(NAME documents-figures
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/documents/test_figures.py
      $<TARGET_FILE:virtual-board> ${MOTE_FIRMWARE_DIR})
  set_tests_properties(documents-figures PROPERTIES TIMEOUT 900)

  add_test(NAME firmware-size
    COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/size.sh ${MOTE_FIRMWARE_DIR}/mote.elf)

  # The same programs at four levels on the board, on QEMU and on the host.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/emulator/programs/*.c)
  add_executable(compiled-host ${programs})
  target_link_libraries(compiled-host PRIVATE mote_options m)
  target_compile_options(compiled-host PRIVATE -ffp-contract=off)
  add_test(NAME emulator-compiled
    COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/emulator/programs/compare.py
      $<TARGET_FILE:virtual-board> ${MOTE_FIRMWARE_DIR} $<TARGET_FILE:compiled-host>)

  # Whole systems: the release firmware on the virtual board, real peers. Exit status 77: not possible here.
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/system/test_*.py)
  foreach(program IN LISTS system_tests)
    get_filename_component(name ${program} NAME_WE)
    string(REPLACE "test_" "system-" name ${name})
    add_test(NAME ${name}
      COMMAND Python3::Interpreter ${program} $<TARGET_FILE:virtual-board> ${MOTE_FIRMWARE_DIR})
    set_tests_properties(${name} PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77)
  endforeach()
  # Both build in the same folder.
  set_tests_properties(firmware-stack system-stack PROPERTIES RESOURCE_LOCK firmware-stack)
endif()
