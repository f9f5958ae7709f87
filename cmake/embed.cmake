# cmake -DOUT=FILE.c -DHEADER=a/header.h -DFILES="a;b" -P embed.cmake: files as C arrays, named a1_file_ and the
# file's name with _ for what C does not allow. A zero follows the content; its size is a1_size_... of that
# name, 0 for a file that is not there. String literals: compilers read them many times faster than numbers.
set(text "/* Made by cmake/embed.cmake. */\n#include \"${HEADER}\"\n")
foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" name ${name})
    set(bytes "")
    if(EXISTS ${file})
        file(READ ${file} bytes HEX)
    endif()
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(................................................................)" "\\1\"\n\"" bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
    string(APPEND text "\nconst size_t a1_size_${name} = ${size};\n"
        "_Alignas(64) const unsigned char a1_file_${name}[] =\n\"${bytes}\";\n")
endforeach()
file(WRITE ${OUT} "${text}")
