//! A read that names a position is answered from data at or past it, or says that it is not.

use super::Evidence;

/// No answer is older than its token without saying so.
pub(crate) fn honoured(evidence: &Evidence<'_>) -> Vec<String> {
    if !evidence.tokens {
        return vec![];
    }
    let mut faults = Vec::new();
    for read in evidence.history.reads.iter().filter(|read| read.status == 200 && !read.stale) {
        let (Some(demanded), Some(served)) = (&read.demanded, &read.served) else {
            if read.demanded.is_some() {
                faults.push(format!("a read that demanded {:?} does not say what it served", read.demanded));
            }
            continue;
        };
        if served.epoch != demanded.epoch || served.position < demanded.position {
            faults.push(format!("a read that demanded {demanded} was served {served}, and not called stale"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, read};
    use super::*;

    #[test]
    fn an_older_answer_is_a_fault_unless_it_says_so() {
        let mut sample = Sample::default();
        sample.history.reads.push(read(Some(5), 5, false));
        sample.history.reads.push(read(Some(6), 5, true));
        sample.history.reads.push(read(None, 1, false));
        assert_eq!(honoured(&sample.evidence()), Vec::<String>::new());
        sample.history.reads.push(read(Some(6), 5, false));
        assert_eq!(honoured(&sample.evidence()).len(), 1);
    }
}
