//! Asks together what is asked while an answer is on its way: under light load a question goes alone at once, under
//! heavy load many share the cost of a round trip.

use std::sync::Arc;

use service::task;
use tokio::sync::{mpsc, oneshot};

use super::replicas::Unanswered;

/// Most questions of one group.
const LARGEST: usize = 500;

/// Questions of one kind. Each waits for the group that it went with, and finds its own part in the group's answer.
pub(super) struct Group<Question, Answer> {
    questions: mpsc::Sender<(Question, Waiting<Answer>)>,
}

type Waiting<Answer> = oneshot::Sender<Result<Arc<Answer>, Unanswered>>;

impl<Question, Answer> Group<Question, Answer>
where
    Question: Send + 'static,
    Answer: Send + Sync + 'static,
{
    /// Starts a task that asks with `ask`, until the last question's place is given up.
    pub(super) fn start<Asking>(
        name: &'static str,
        ask: impl Fn(Vec<Question>) -> Asking + Send + Sync + 'static,
    ) -> Group<Question, Answer>
    where
        Asking: Future<Output = Result<Answer, Unanswered>> + Send,
    {
        let (questions, mut asked) = mpsc::channel(LARGEST);
        task::essential(name, async move {
            let mut group = Vec::new();
            while asked.recv_many(&mut group, LARGEST).await > 0 {
                let (questions, waiting): (Vec<Question>, Vec<Waiting<Answer>>) = group.drain(..).unzip();
                let answer = ask(questions).await.map(Arc::new);
                for waiting in waiting {
                    // Whoever hung up does not hear it.
                    let _heard_or_gone = waiting.send(answer.clone());
                }
            }
        });
        Group { questions }
    }

    /// The answer of the group that the question went with; its statement was sent after this call.
    ///
    /// # Errors
    /// No replica answered.
    pub(super) async fn ask(&self, question: Question) -> Result<Arc<Answer>, Unanswered> {
        let (waiting, answer) = oneshot::channel();
        // The task ends with the process only.
        self.questions.send((question, waiting)).await.map_err(|_| Unanswered)?;
        answer.await.unwrap_or(Err(Unanswered))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_is_asked_while_an_answer_is_on_its_way_goes_together() {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Semaphore::new(0));
        let group = {
            let (groups, gate) = (groups.clone(), gate.clone());
            Group::start("test", move |questions: Vec<u32>| {
                let (groups, gate) = (groups.clone(), gate.clone());
                async move {
                    gate.acquire().await.unwrap().forget();
                    groups.lock().unwrap().push(questions.clone());
                    if questions.contains(&13) { Err(Unanswered) } else { Ok(questions) }
                }
            })
        };
        let first = group.ask(1);
        let others = async {
            // The first one is on its way: it was taken from the queue.
            while group.questions.capacity() < LARGEST {
                tokio::task::yield_now().await;
            }
            let others = [2, 13, 4].map(|question| group.ask(question));
            let (others, ()) = tokio::join!(join_all(others), async { gate.add_permits(2) });
            others
        };
        let (first, others) = tokio::join!(first, others);
        assert_eq!(*first.unwrap(), [1]);
        assert!(others.iter().all(Result::is_err), "a group's failure is that of each of its members");
        assert_eq!(*groups.lock().unwrap(), [vec![1], vec![2, 13, 4]]);
    }
}
