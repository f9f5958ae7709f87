# What `cmake --install` puts where. Included last by CMakeLists.txt.
# Everything is found relative to the installed file itself, so that --prefix at install time is fine.

install(TARGETS allin1 ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET allin1_program)
    install(TARGETS allin1_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/allin1 DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# pkg-config: the way from the folder of allin1.pc back to the prefix.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} OR IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
    set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
    set(PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
    set(PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
else()
    file(RELATIVE_PATH pc_up /${pc_dir} /)
    string(REGEX REPLACE "/$" "" pc_up ${pc_up})
    set(PC_PREFIX "\${pcfiledir}/${pc_up}")
    set(PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(PC_DL "")
if(CMAKE_DL_LIBS)
    set(PC_DL "-l${CMAKE_DL_LIBS}")
endif()
configure_file(cmake/allin1.pc.in allin1.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/allin1.pc DESTINATION ${pc_dir})

install(FILES man/allin1.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES completions/allin1.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME allin1)
install(FILES completions/_allin1 DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/allin1.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
file(GLOB documents CONFIGURE_DEPENDS docs/*.md)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${documents} docs/show.svg DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
install(DIRECTORY docs/pictures DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
