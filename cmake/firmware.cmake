# The chip's side: mote.elf, and the programs that tests run on the virtual board.

# No byte of a program depends on where the tree lies.
target_compile_options(mote_options INTERFACE -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
mote_library(kernel)

file(GLOB target_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}
  target/stm32f429/*.c target/nucleo-f429zi/*.c)
# Objects, not an archive: the vector table and strong interrupt handlers must always be linked.
add_library(target OBJECT ${target_sources})
target_link_libraries(target PUBLIC mote_options)
target_include_directories(target PUBLIC target)
target_compile_definitions(target PUBLIC $<$<CONFIG:Debug>:MOTE_DEBUG=1>)
# The compiler calls these functions by itself, also after the link-time optimiser has run.
set_source_files_properties(target/stm32f429/string.c PROPERTIES COMPILE_OPTIONS -fno-lto)

# The MAC inserts and verifies all checksums; net takes no device that does not.
target_compile_definitions(net PUBLIC NET_WITH_SOFTWARE_CHECKSUMS=0)
target_compile_definitions(net-full PUBLIC NET_WITH_SOFTWARE_CHECKSUMS=0)

set(linker_script ${CMAKE_SOURCE_DIR}/target/nucleo-f429zi/nucleo-f429zi.ld)
function(mote_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE target kernel)
  target_link_options(${name} PRIVATE -T${linker_script} -Wl,-Map=$<TARGET_FILE_DIR:${name}>/${name}.map)
  set_target_properties(${name} PROPERTIES LINK_DEPENDS ${linker_script})
endfunction()
function(mote_firmware name)
  mote_program(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE settings mqtt net log)
endfunction()

# mote.elf is configured by the environment of the build (app/configure.sh).
file(GLOB app_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} app/*.c)
list(REMOVE_ITEM app_sources app/config.c)
if(app_sources)
  add_library(app OBJECT ${app_sources})
  target_link_libraries(app PUBLIC target kernel settings mqtt net log)
  add_library(app-full OBJECT ${app_sources})
  target_link_libraries(app-full PUBLIC target kernel settings-full mqtt-full net-full log)
  target_compile_definitions(app-full PUBLIC MOTE_FULL=1)

  # The objects of `app` or `app-full` with another app/config.c: ARGN is NAME=VALUE as in the environment.
  function(mote_configured_firmware name app)
    set(header ${CMAKE_BINARY_DIR}/config/${name}/config_values.h)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/config/${name})
    set(full 0)
    if(app MATCHES "-full$")
      set(full 1)
    endif()
    # Run at each build, since the environment is no file; writes only what changed.
    add_custom_target(${name}-config BYPRODUCTS ${header}
      COMMAND env ${ARGN} MOTE_FULL=${full} sh ${CMAKE_SOURCE_DIR}/app/configure.sh ${header}
      VERBATIM)
    mote_program(${name} app/config.c $<TARGET_OBJECTS:${app}>)
    target_link_libraries(${name} PRIVATE $<TARGET_PROPERTY:${app},LINK_LIBRARIES>)
    target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/config/${name})
    if(full)
      target_link_options(${name} PRIVATE -Wl,--defsym=STACK_SIZE=4096)
    endif()
    add_dependencies(${name} ${name}-config)
  endfunction()

  mote_configured_firmware(mote app)
  mote_configured_firmware(mote-full app-full)
  # What the system tests run: ports and addresses of their own, whatever the user's environment says.
  set(none -u MAC_ADDRESS -u IP_ADDRESS -u GATEWAY_ADDRESS -u DNS_ADDRESS
    -u BROKER_IP_ADDRESS -u BROKER_HOST -u BROKER_PORT -u NTP_ADDRESS -u NTP_HOST)
  mote_configured_firmware(mote-dhcp app ${none})
  mote_configured_firmware(mote-dhcp-full app-full ${none})
  mote_configured_firmware(mote-static app ${none} MAC_ADDRESS=02-00-00-03-02-00
    IP_ADDRESS=10.0.2.77 GATEWAY_ADDRESS=10.0.2.2)
  foreach(kind "" -full)
    mote_configured_firmware(mote-tap${kind} app${kind} ${none} MAC_ADDRESS=02-00-00-03-02-01
      IP_ADDRESS=192.168.77.2 BROKER_IP_ADDRESS=192.168.77.1)
  endforeach()
  mote_configured_firmware(mote-name app ${none} MAC_ADDRESS=02-00-00-03-02-02
    BROKER_HOST=broker.mote.test)
  mote_configured_firmware(mote-local-full app-full ${none} BROKER_HOST=broker.local)
  mote_configured_firmware(mote-brokers-full app-full ${none} MAC_ADDRESS=02-00-00-03-02-01
    IP_ADDRESS=192.168.77.2 BROKER_IP_ADDRESS=192.168.77.1,192.168.77.3)

  # The whole firmware with a publisher in it (bench/throughput.sh).
  set(throughput_sources ${app_sources} bench/throughput/throughput.c)
  list(REMOVE_ITEM throughput_sources app/main.c)
  add_library(app-throughput OBJECT ${throughput_sources})
  target_link_libraries(app-throughput PUBLIC target kernel settings mqtt net log)
  mote_configured_firmware(bench-throughput app-throughput ${none})
endif()

# tests/FOLDER/prog_*.c: one program each, for the virtual CPU.
foreach(folder kernel target)
  file(GLOB programs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/${folder}/prog_*.c)
  foreach(program IN LISTS programs)
    get_filename_component(name ${program} NAME_WE)
    string(REPLACE "prog_" "${folder}-" name ${name})
    mote_firmware(${name} ${program})
    target_include_directories(${name} PRIVATE tests/${folder})
  endforeach()
endforeach()

# The kernel's paths are others at -O2 (KERNEL_FAST): each of their instructions is preempted, too.
mote_firmware(kernel-preempt-fast tests/kernel/prog_preempt.c)
target_include_directories(kernel-preempt-fast PRIVATE tests/kernel)
target_compile_options(kernel-preempt-fast PRIVATE -O2)

# Servers for the tools of Linux (tests/system/test_linux_peer.py).
mote_program(net-host tests/net/host/board/board.c tests/net/host/services.c)
target_compile_definitions(net-host PRIVATE BUFFER_MAX=4096)
target_link_libraries(net-host PRIVATE net-full)

# bench/*.c, run by bench/*.sh.
file(GLOB benches CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} bench/*.c)
foreach(program IN LISTS benches)
  get_filename_component(name ${program} NAME_WE)
  mote_firmware(bench-${name} ${program})
endforeach()
target_sources(bench-path PRIVATE app/broker.c)
# The engines with everything on.
mote_program(bench-mqtt-full bench/mqtt.c)
target_link_libraries(bench-mqtt-full PRIVATE mqtt-full)
mote_program(bench-net-full bench/net.c)
target_link_libraries(bench-net-full PRIVATE net-full)
mote_program(bench-path-full bench/path.c app/broker.c)
target_link_libraries(bench-path-full PRIVATE mqtt-full net-full log)
# Side by side with lwIP, for bench/lwip/versus.sh alone.
if(MOTE_VERSUS)
  add_subdirectory(bench/lwip)
endif()
# The kernel's budgets are of -O2, and its paths are inline.
target_compile_options(bench-kernel PRIVATE -O2)

# tests/emulator/programs: compiled at four levels, for the virtual board and QEMU (compare.py).
file(GLOB programs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} tests/emulator/programs/*.c)
foreach(level O0 O2 O3 Os)
  add_executable(compiled-${level} ${programs})
  target_link_libraries(compiled-${level} PRIVATE mote_options m)
  target_compile_options(compiled-${level} PRIVATE -${level} -fno-lto -ffp-contract=off)
  target_link_options(compiled-${level} PRIVATE -fno-lto
    -T${CMAKE_SOURCE_DIR}/tests/emulator/programs/programs.ld)
endforeach()
