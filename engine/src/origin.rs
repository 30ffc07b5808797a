//! Which file, of those that the system's loader has mapped, a function is from.

#![allow(unsafe_code, reason = "calls the system's loader")]

pub use system::{imported, of, path};

#[cfg(unix)]
mod system {
    use std::ffi::CStr;
    use std::os::raw::c_void;

    fn info(address: *const c_void) -> Option<libc::Dl_info> {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr fills the structure, or returns 0; it reads nothing at the address.
        unsafe { (libc::dladdr(address, info.as_mut_ptr()) != 0).then(|| info.assume_init()) }
    }

    /// The first address of the program or library that contains `address`; none if the loader does
    /// not know it.
    pub fn of(address: *const c_void) -> Option<usize> {
        info(address).map(|info| info.dli_fbase as usize)
    }

    /// The path of the program or library that contains `address`, as the loader has it.
    pub fn path(address: *const c_void) -> Option<Vec<u8>> {
        let name = info(address)?.dli_fname;
        // SAFETY: the name is a string of the loader's, which lasts as long as the library is
        // loaded.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes().to_vec())
    }

    /// Where a function of another library is that is called `name`: `function` itself.
    pub fn imported(function: *const c_void, _name: &CStr) -> *const c_void {
        function
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::CStr;
    use std::os::raw::c_void;
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
        GetModuleFileNameW, GetModuleHandleExW,
    };

    /// The first address of the program or library that contains `address`; none if the loader does
    /// not know it.
    pub fn of(address: *const c_void) -> Option<usize> {
        // No address stands for the program there.
        if address.is_null() {
            return None;
        }
        let flags =
            GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
        let mut module = std::ptr::null_mut();
        // SAFETY: with these flags the second argument is an address in the module, whose count of
        // references stays as it is.
        let found = unsafe { GetModuleHandleExW(flags, address.cast(), &mut module) };
        (found != 0).then_some(module as usize)
    }

    /// The path of the program or library that contains `address`, as the loader has it.
    pub fn path(address: *const c_void) -> Option<Vec<u8>> {
        let module = of(address)?;
        let mut name = [0u16; 1024];
        // SAFETY: the module is loaded, and the call writes no more than the length says.
        let length =
            unsafe { GetModuleFileNameW(module as *mut c_void, name.as_mut_ptr(), 1024) } as usize;
        (length > 0).then(|| String::from_utf16_lossy(&name[..length]).into_bytes())
    }

    /// Where a function of another library is that is called `name`. `function`, its address as
    /// this library has it, may be that of a jump within this library: then its table of imports
    /// tells.
    pub fn imported(function: *const c_void, name: &CStr) -> *const c_void {
        // SAFETY: the module is this library, which is loaded.
        let found = of(function).and_then(|module| unsafe { look_up(module as *const u8, name) });
        found.unwrap_or(function)
    }

    /// The entry of `name` in the table of imports of a library.
    ///
    /// # Safety
    /// `module` is the beginning of a library that is loaded.
    unsafe fn look_up(module: *const u8, name: &CStr) -> Option<*const c_void> {
        /// The bit of an entry that is imported by its number.
        const BY_NUMBER: usize = 1 << (usize::BITS - 1);
        // The directory of tables begins at another place where addresses have 32 bits.
        const DIRECTORY: usize = if cfg!(target_pointer_width = "64") {
            112
        } else {
            96
        };
        // SAFETY: the offsets are those of the format of loaded libraries, which the loader has
        // checked; every table ends with zeros.
        unsafe {
            let number = |offset: usize| module.add(offset).cast::<u32>().read_unaligned() as usize;
            let entry = |offset: usize| module.add(offset).cast::<usize>().read_unaligned();
            let header = number(0x3c) + 24;
            let mut library = number(header + DIRECTORY + 8);
            if library == 0 {
                return None;
            }
            // For each library five numbers: names, two that do not matter here, its name,
            // addresses.
            while number(library + 16) != 0 {
                let names = match number(library) {
                    0 => return None,
                    names => names,
                };
                let addresses = number(library + 16);
                let mut at = 0;
                loop {
                    let what = entry(names + at);
                    if what == 0 {
                        break;
                    }
                    // A hint of two bytes comes before the name.
                    if what & BY_NUMBER == 0 && CStr::from_ptr(module.add(what + 2).cast()) == name
                    {
                        return Some(entry(addresses + at) as *const c_void);
                    }
                    at += size_of::<usize>();
                }
                library += 20;
            }
            None
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::os::raw::c_void;

    #[test]
    fn a_function_of_ours_is_from_this_program() {
        let ours = tests_file as *const c_void;
        assert_eq!(
            of(ours),
            of(a_function_of_ours_is_from_this_program as *const c_void)
        );
        assert!(of(ours).is_some());
        assert!(path(ours).is_some_and(|path| !path.is_empty()));
        assert_eq!(of(std::ptr::null()), None);
    }

    fn tests_file() {}

    #[test]
    fn a_function_of_the_system_is_not() {
        let ours = of(tests_file as *const c_void);
        #[cfg(unix)]
        let (function, name) = (libc::getpid as *const c_void, c"getpid");
        #[cfg(windows)]
        let (function, name) = {
            use windows_sys::Win32::System::LibraryLoader::GetModuleFileNameW;
            (GetModuleFileNameW as *const c_void, c"GetModuleFileNameW")
        };
        let found = of(imported(function, name));
        assert!(found.is_some() && found != ours);
        // What is not imported is where it is.
        let unknown = tests_file as *const c_void;
        assert_eq!(imported(unknown, c"no function has this name"), unknown);
    }
}
